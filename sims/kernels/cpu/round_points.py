"""The gradients of whole rounds where a sample are points of a data set: softmax regression, eight runs at once."""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import LANES, choose, equal, everywhere, less, load, store


@compiled
def softmax_gradients(drawn, world, x, out, point, scores, label):
    """(1/b) Σ (P − e_y) ⊗ a + λx over each worker's points, into out (n, d, LANES).

    `drawn` (n b, LANES) are uniform numbers, each the place of a point among those of its worker. `point` and `scores`
    are room for (p, LANES) and (C, LANES), `label` for (LANES,).
    """
    n, d, _ = out.shape
    classes, batch = world.classes, world.batch
    p, nothing, one, share = d // classes, everywhere(0.0), everywhere(1.0), everywhere(1.0 / world.batch)
    for i in range(n):
        for e in range(d):
            store(nothing, out, i * d + e)
        for s in range(batch):
            for k in range(LANES):
                place = world.first[i] + np.int64(drawn[i * batch + s, k] * world.each)
                label[k] = world.labels[place]
                if world.flips and i >= world.honest:
                    label[k] = classes - 1 - label[k]
                for q in range(p):
                    point[q, k] = world.points[place, q]
            most, total = everywhere(-np.inf), nothing
            for c in range(classes):
                score = nothing
                for q in range(p):
                    score = score + load(x, c * p + q) * load(point, q)
                store(score, scores, c)
                most = choose(less(most, score), score, most)
            for c in range(classes):
                store(load(scores, c) - most, scores, c)
                for k in range(LANES):
                    scores[c, k] = np.exp(scores[c, k])
                total = total + load(scores, c)
            own = load(label, 0)
            for c in range(classes):
                residual = load(scores, c) / total - choose(equal(own, everywhere(float(c))), one, nothing)
                for q in range(p):
                    e = i * d + c * p + q
                    store(load(out, e) + residual * load(point, q), out, e)
        for e in range(d):
            store(load(out, i * d + e) * share + everywhere(world.ridge) * load(x, e), out, i * d + e)
