// Texts whose contrast with what is behind them is below WCAG 2.2 AA (4.5, or 3 for large text): text and ratio.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [
    r * a + under[0] * (1 - a),
    g * a + under[1] * (1 - a),
    b * a + under[2] * (1 - a),
    1,
  ];
  const opacity = (element) => {
    let share = 1;
    for (let at = element; at; at = at.parentElement) share *= Number(getComputedStyle(at).opacity);
    return share;
  };
  const light = ([r, g, b]) =>
    [r, g, b]
      .map((v) => {
        v /= 255;
        return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      })
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const faults = new Set();
  for (const element of document.querySelectorAll(
    ".md-content *, .md-tabs *, .md-footer *, .md-sidebar--secondary *",
  )) {
    const text = [...element.childNodes]
      .filter((n) => n.nodeType === 3)
      .map((n) => n.textContent.trim())
      .join("");
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    if (
      !text ||
      !box.width ||
      style.visibility === "hidden" ||
      element.closest(".lg-sr, .headerlink, button.md-clipboard")
    )
      continue;
    const under = behind(element.closest("svg") ? element.closest("svg").parentElement : element);
    const [r, g, b, alpha] = rgba(element.closest("svg") ? style.fill : style.color);
    const ink = over([r, g, b, alpha * opacity(element)], under);
    const [lighter, darker] = [light(ink), light(under)].sort((x, y) => y - x);
    const ratio = (lighter + 0.05) / (darker + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5))
      faults.add(`${text.slice(0, 30)} ${ratio.toFixed(2)} ${element.className.baseVal ?? element.className}`);
  }
  return [...faults];
})();
