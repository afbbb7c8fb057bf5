"""The benchmark of gradients: its contenders compute the same, and its page says what was measured."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks import neural  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SMALL = neural.Setting("small_cnn", (1, 8, 8), 3, 2, 1.5)


def test_the_released_scheme_and_ours_give_the_same_gradients():
    calls = neural.contenders(SMALL, 1, 0)
    ours = calls["loop"].args[5]
    x, module = calls["loop"].args[1], calls[neural.RELEASED].args[0]
    torch.nn.utils.vector_to_parameters(x, module.parameters())
    expected = calls[neural.RELEASED]()
    for who in ("loop", "shared", "vmap", neural.OURS):
        ours.fill_(torch.nan)
        calls[who]()
        assert torch.allclose(ours, expected, rtol=1e-4, atol=1e-6), who


def test_the_page_has_a_row_for_each_setting_with_times_and_ratio():
    times = {who: [0.002, 0.002, 0.004] for who in (*neural.CONTENDERS, neural.OURS)} | {neural.RELEASED: [0.01] * 3}
    text = neural.page((SMALL,), {SMALL.name: times}, 0.5)
    row = next(line for line in text.splitlines() if line.startswith("small_cnn, n = 3, b = 2"))
    assert row.split()[-3:] == ["5.00", "≥", "1.5"]
    assert "load 0.50 at the start" in text
