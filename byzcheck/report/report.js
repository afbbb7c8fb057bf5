// The report is whole without JavaScript. This adds numbers for the reader's own case (form[data-panel], sliders.py),
// a search box (#search, #found; what has data-find is found) and a switch of colours (#scheme; <html data-theme>).

// A panel's function takes its fields and gives for each output a number, a list, {from, to} or the name of a sentence
// that the panel has; or one such name alone where a hypothesis of all fails. closed_forms.py has the same in Python.
const sq = (x) => x * x;
const sum = (terms) => terms.reduce((total, term) => total + term, 0);
const range = (count, of) => Array.from({ length: count }, (_, i) => of(i));
const fails = ({ n, f, delta }, least) => (f < least ? "none" : 2 * f >= n || delta >= 0.5 ? "half" : null);
const panel = (least, of) => (v) => fails(v, least) ?? of(v);

function binomial(g, q) { // P(Bin(g, q) = k), k = 0, …, g
  if (q > 0.5) return binomial(g, 1 - q).reverse(); // else the first term may be too small for a number
  let term = Math.pow(1 - q, g);
  return range(g + 1, (k) => (term *= k ? (((g - k + 1) / k) * q) / (1 - q) : 1));
}

function forced({ n, f, T }) { // Theorem II: the largest (1 − p)^T·q/(2(1 − q)) and its q, p = P(Bin(n − f, q) > f)
  const shares = [...range(56, (i) => (i + 20) / 100), ...range(57, (i) => Math.pow(2, -i - 3))];
  const p = (q) => sum(binomial(n - f, q).slice(f + 1));
  const error = (q) => ({ q, error: (Math.exp(T * Math.log1p(-p(q))) * q) / (2 * (1 - q)) });
  return shares.map((share) => error((share * f) / n)).reduce((best, one) => (one.error > best.error ? one : best));
}

function leastC(n, f) { // Theorem III: sup over q of E[K²; K ≤ f]/(2δg²q(1 − q)), K ~ Bin(g, q)
  const g = n - f;
  const ratio = (q) => (n * sum(binomial(g, q).map((p, k) => (k > f ? 0 : k * k * p)))) / (2 * f * g * g * q * (1 - q));
  let grid = range(300, (i) => (1e-7 / g) * Math.pow((0.5 * g) / 1e-7, i / 299));
  grid.push(...range(149, (i) => 1 - 0.5 * Math.pow(2e-7, (i + 1) / 149)));
  for (let round = 0; round < 4; round++) { // the best of the grid, then finer around it
    const values = grid.map(ratio);
    const best = values.indexOf(Math.max(...values));
    const [low, high] = [grid[best - 1] ?? grid[0], grid[best + 1] ?? grid[best]];
    grid = range(41, (i) => low + ((high - low) * i) / 40);
  }
  return Math.max(...grid.map(ratio));
}

function oneStep(delta, start) { // the lemma at its best radius, in units of ρ; a larger B where f < δn could be worse
  for (const reach of [start, ...[0.25, 0.5, 1].filter((larger) => larger > start)]) {
    const [tauSq, all, y] = [((1 - delta) * (sq(reach) + 0.5)) / (4 * delta), sq(reach) + 1, 1 - delta];
    const [share, t] = [sq(reach) / all, Math.sqrt((tauSq * delta) / all)];
    const [a, b, far] = [sq((1 + share) / (8 * t)), (1 - share) / 2, t + Math.sqrt(delta * share)];
    if (sq(delta) * (a + sq(b) / (4 * y * (a * y + b))) <= sq(far))
      return { tau: Math.sqrt(tauSq), c: sq(y * Math.sqrt(a + b / y) + far) * all };
  }
}

const cDelta = ({ n, f }) => (f * (n - f - 1)) / (2 * (n - f) * (n - 2 * f)); // of the trimmed mean
const kappaOf = (v) => 2 * cDelta(v) + 1 / (v.n - v.f);
const says = (bound, start) => (bound < start ? "more" : "nothing");

function momentum(kappa, { T, F0, sigma, L }) { // Theorem VI, corrected, m_0 = 0, at its best η
  const eta = Math.min(Math.sqrt((2.5 * F0) / (16 * T * sq(sigma) * kappa * L)), 1 / (8 * L));
  return { eta, bound: (2.5 * F0) / (eta * T) + 16 * L * eta * sq(sigma) * kappa };
}

const formulas = {
  theorem_ii_lower_bound: panel(1, (v) => {
    const [{ error, q }, unit] = [forced(v), sq(v.sigma) / v.mu];
    return { error: error * unit, q, simple: v.f < 4 * (1 + Math.log(v.T)) ? "short" : ((0.21 * v.f) / v.n) * unit };
  }),
  theorem_iii_limits: panel(1, ({ n, f, rho }) => {
    const [g, delta, any] = [n - f, f / n, 1 / (2 * (1 - (2 * f) / n))];
    return { any, here: leastC(n, f), trimmed: ((g - 1) / g) * any, error: ((g - 1) / g) * any * delta * sq(rho) };
  }),
  theorem_iv_centered_clipping: panel(0, ({ delta, rho, B, l }) => {
    const left = (lead, rate, constant) => lead * Math.pow(rate, l) * sq(B) + constant * delta * sq(rho);
    const fast = (step) => Math.max((2.5 * rho) / Math.sqrt(delta), (B * Math.pow(5 * delta, step)) / 0.9);
    const wide = (step) => Math.max(rho / ((1 - 2 * delta) * Math.sqrt(delta)), B * Math.pow(0.5 + delta, step - 1));
    const every = { wide_tau: range(l, wide), wide: left(4, sq(0.5 + delta), 117 / Math.pow(1 - 2 * delta, 4)) };
    if (delta > 0.15) return { tau: "fifteen", bound: "fifteen", printed: "fifteen", ...every };
    return { tau: range(l, fast), bound: left(2, sq(5 * delta), 90), printed: left(2, 6.45 * delta, 1360), ...every };
  }),
  corollary_v_iterations: panel(0, ({ delta, rho, B }) => {
    const [{ tau, c }, x] = [oneStep(delta, B / rho), (2 * sq(B)) / (delta * sq(rho))];
    const [steps, many] = delta > 0.15 ? ["fifteen", "fifteen"] : [Math.max(1, Math.ceil(1.74 * Math.log(x))), 91];
    const wide_steps = Math.max(1, Math.ceil(Math.log(2 * x) / (-2 * Math.log(0.5 + delta))));
    const [wide, trimmed] = [1 + 117 / Math.pow(1 - 2 * delta, 4), 1 / (2 * (1 - 2 * delta))];
    return { tau: tau * rho, c, steps, many, wide_steps, wide, trimmed };
  }),
  theorem_vi_momentum: panel(0, (v) => {
    const { T, F0, sigma, L } = v;
    const [kappa, cd, start, noise] = [kappaOf(v), cDelta(v), 2 * L * F0, sq(sigma) * (1 / v.n + cDelta(v))];
    const { eta, bound } = momentum(kappa, v);
    const printed = 16 * Math.sqrt((noise / T) * (10 * L * F0 + 3 * cd * sq(sigma))) + (32 * L * F0 + 20 * noise) / T;
    return { kappa, eta, alpha: 8 * L * eta, beta: 1 - 8 * L * eta, bound, printed, start, says: says(bound, start) };
  }),
  remark_5_rate: panel(0, (v) => {
    const { n, f, T, F0, sigma, L } = v;
    const rate = (kappa) => Math.sqrt((160 * L * F0 * sq(sigma) * kappa) / T) + (20 * L * F0) / T;
    const [kappa, { eta }] = [kappaOf(v), momentum(kappaOf(v), v)];
    const [smaller, cap] = [eta / momentum(1 / n, v).eta, (10 * L * F0) / (sq(sigma) * kappa)];
    return { kappa, rate: rate(kappa), alone: rate(1 / n), limit: rate(f / (n - 2 * f)), eta, smaller, cap };
  }),
  theorem_vii_mvr: panel(0, (v) => {
    const [{ T, F0, sigma, L }, kappa, start] = [v, kappaOf(v), 2 * v.L * v.F0];
    const most = Math.min(1 / 4, Math.sqrt(3 / (16 * kappa))) / L;
    const eta = Math.min(most, Math.cbrt((3 * F0) / (64 * sq(kappa * L * sigma) * T)));
    const b0 = Math.ceil((3 * kappa * sq(sigma)) / (8 * eta * kappa * sq(L) * F0)); // κ stays, as rounding is upwards
    const alpha = Math.min(1, (16 / 3) * kappa * sq(L * eta));
    const bound = (2 * F0) / (eta * T) + (2 * kappa * sq(sigma)) / (b0 * alpha * T) + 4 * kappa * alpha * sq(sigma);
    return { kappa, eta, alpha, b0, bound, momentum: momentum(kappa, v).bound, start, says: says(bound, start) };
  }),
  beyond_exact_constants: ({ n, f, F }) => fails({ n, f: F }, 1) ?? (f > F ? "told" : constants(n, f, F)),
};

function constants(n, f, F) { // κ* of each rule that is told F
  const [g, m, half, k, least] = [n - f, n - F, Math.floor(n / 2), n - 2 * F - 1, F / (n - f - F)];
  const fewer = (F - f) / (m * (g - 1));
  const drawn = (kappa) => kappa * (1 - fewer) - fewer; // at most, for f of them, of a rule that has κ for F
  const choice = (kappa) => (f === F ? kappa : { from: least, to: drawn(kappa) });
  const [out, pivot, rest] = [1 / g + f / (m * F), 1 / m - 1 / g + (2 * f) / m, 1 / m - 1 / g];
  const [long, near, h] = [Math.floor((2 * F * m) / n), m - 2, m - 1 - f]; // shortened; Krum's neighbours, honest ones
  const krum = sq(Math.sqrt((2 * near * g) / ((g - 1) * h)) + Math.sqrt((g - h) / h));
  return {
    trimmed: least, median: (n - half - 1) / (half + 1 - f), geometric: half / (g - half),
    smea: choice((4 * F) / (n - 2 * F)), meamed: choice((4 * F * (1 + F / (half + 1 - F))) / m),
    mda: choice((2 * F * F + 3 * F + (k ? (F * F) / k : 3 * F * F)) / m),
    monna: g * (F * sq(out) + sq(pivot) + (m - f - 1) * sq(rest)), arc: least + long / (g - long),
    nnm: { from: sq(F + (f * g) / m) / (F * (g - F)), to: drawn(((8 * F) / m) * (F / (n - 2 * F) + 1)) },
    krum: near <= F ? "few" : { from: least, to: krum },
  };
}

function shown(value, sentences) { // four significant digits
  if (typeof value === "string") return sentences[value];
  if (value.length > 4) return `${shown(value.slice(0, 3))}, …, ${shown(value.at(-1))}`;
  if (Array.isArray(value)) return value.map((one) => shown(one)).join(", ");
  if (typeof value === "object") return `${shown(value.from)} … ${shown(value.to)}`;
  const short = Number(value.toPrecision(4));
  if (short === 0 || (Math.abs(short) >= 1e-3 && Math.abs(short) < 1e6)) return String(short).replace("-", "−");
  const [digits, power] = short.toExponential().replaceAll("-", "−").replace("+", "").split("e");
  return `${digits}·10${[...power].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789−".indexOf(sign)]).join("")}`;
}

function follow(form) {
  const update = () => {
    const given = [...form.querySelectorAll("input[name]")].map((field) => [field.name, field.valueAsNumber]);
    const found = form.checkValidity() ? formulas[form.dataset.panel](Object.fromEntries(given)) : "range";
    form.querySelector("[role=status]").textContent = typeof found === "string" ? form.dataset[found] : "";
    for (const output of form.querySelectorAll("output"))
      output.textContent = typeof found === "string" ? "—" : shown(found[output.name], form.dataset);
  };
  for (const handle of form.querySelectorAll("input[type=range]")) { // beside the field that it moves
    const [field, log] = [handle.previousElementSibling, "log" in handle.dataset];
    const value = () => (log ? Number(Math.pow(10, handle.value).toPrecision(2)) : handle.value);
    handle.oninput = () => (field.value = field.step === "1" ? Math.round(value()) : value());
    field.oninput = () => (handle.value = log ? Math.log10(field.value) : field.value);
  }
  form.oninput = update;
  form.onreset = () => setTimeout(update);
  form.querySelector("fieldset").disabled = false;
}

function search(box, told) {
  const greek = { alpha: "α", beta: "β", delta: "δ", eta: "η", kappa: "κ", mu: "μ", rho: "ρ", sigma: "σ", tau: "τ" };
  const read = (node) => ({ node, text: node.textContent.toLowerCase() });
  const sections = [...document.querySelectorAll("[data-find]")].map(read);
  const list = (node) => ({ fold: node.closest("details") ?? {}, rows: [...node.children].map(read) });
  const lists = [...document.querySelectorAll("main tbody, .claims > ol")].map(list);
  const look = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => greek[word] ?? word);
    const has = ({ text }) => words.every((word) => text.includes(word));
    for (const one of sections) one.node.hidden = !has(one);
    for (const { fold, rows } of lists) {
      for (const row of rows) row.node.hidden = !has(row) && rows.some(has);
      fold.open = words.length > 0 && rows.some(has);
    }
    const count = [sections.filter(has).length, lists.flatMap(({ rows }) => rows.filter(has)).length];
    told.textContent = words.length ? `Found in ${count[0]} sections and ${count[1]} rows.` : "";
  };
  box.closest("[hidden]").hidden = false;
  box.oninput = look;
  box.addEventListener("keydown", ({ key }) => key === "Escape" && ((box.value = ""), look()));
}

function colours(button) {
  const [root, dark] = [document.documentElement.dataset, matchMedia("(prefers-color-scheme: dark)")];
  const other = () => ((root.theme ? root.theme === "dark" : dark.matches) ? "light" : "dark");
  const tell = () => (button.textContent = `${other() === "dark" ? "Dark" : "Light"} colours`);
  const kept = (work) => { try { work(localStorage); } catch { /* it may be forbidden */ } };
  kept((store) => ["dark", "light"].includes(store.theme) && (root.theme = store.theme));
  button.onclick = () => {
    root.theme = other();
    if ((root.theme === "dark") === dark.matches) delete root.theme; // it follows the system again
    kept((store) => (root.theme ? (store.theme = root.theme) : store.removeItem("theme")));
    tell();
  };
  dark.onchange = tell;
  button.hidden = false;
  tell();
}

if (typeof document === "undefined") module.exports = { formulas, shown };
else {
  document.querySelectorAll("form[data-panel]").forEach(follow);
  search(document.getElementById("search"), document.getElementById("found"));
  colours(document.getElementById("scheme"));
}
