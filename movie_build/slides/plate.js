// Lays a plate under a logo that could not be seen on its slide. Each [data-logo]
// image is looked at as drawn: of what is visible of it, the share whose contrast
// with the ground is low decides. A logo without transparent parts brings its own
// ground, and needs none.
() => {
  const LOW = 1.6;          // contrast ratio, WCAG 2.2
  const MOST_LOW = 0.2;
  const PLATES = {light: [255, 255, 255], dark: [20, 24, 31]};

  const luminance = rgb => {
    const [r, g, b] = rgb.map(x => x / 255).map(x =>
      x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  const ground = () => {
    const [, r, g, b] = getComputedStyle(document.body).backgroundColor.match(/(\d+), (\d+), (\d+)/);
    return [r, g, b].map(Number);
  };

  const inks = image => {
    const canvas = document.createElement('canvas');
    const scale = Math.min(1, 128 / Math.max(image.width, image.height));
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    const found = [];
    let clear = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] > 127) found.push([data[at], data[at + 1], data[at + 2]]);
      else clear += 1;
    }
    return {found, clear};
  };

  for (const image of document.querySelectorAll('[data-logo]')) {
    const {found, clear} = inks(image);
    const lowOn = color => found.filter(ink => contrast(ink, color) < LOW).length / found.length;
    if (!found.length || clear < 0.01 * (clear + found.length)) continue;
    const unknown = image.dataset.logo === 'picture';
    if (!unknown && lowOn(ground()) <= MOST_LOW) continue;
    const onLight = lowOn(PLATES.light) <= Math.max(MOST_LOW, lowOn(PLATES.dark));
    image.classList.add(onLight ? 'on-light' : 'on-dark');
  }
}
