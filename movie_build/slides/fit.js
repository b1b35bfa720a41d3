// Fits text into its boxes. Each [data-fit] box has the custom property --fit,
// 1 at first, by which the theme multiplies sizes; it is lowered, in the order of
// the document, until the box no longer overflows, but not below data-least. Where
// one cannot be fitted so, those before it are lowered to their least to make room.
// data-or names classes to try where that would make it small: of these the first
// that stays large is taken, else the largest. Returns "", or what does not fit.
() => {
  const LARGE = 0.8;
  const STEPS = 9;

  const overflows = box =>
    box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  const leastOf = box => Number(box.dataset.least || 0.5);
  const set = (box, scale) => box.style.setProperty('--fit', scale.toFixed(4));

  const largest = (box, least) => {
    set(box, 1);
    if (!overflows(box)) return 1;
    set(box, least);
    if (overflows(box)) return 0;
    let [low, high] = [least, 1];
    for (let step = 0; step < STEPS; step++) {
      const middle = (low + high) / 2;
      set(box, middle);
      if (overflows(box)) high = middle; else low = middle;
    }
    set(box, low);
    return low;
  };

  const fitted = box => {
    const ways = [''].concat((box.dataset.or || '').split(' ').filter(way => way));
    let best = {way: '', scale: 0};
    for (const way of ways) {
      if (way) box.classList.add(way);
      const scale = largest(box, leastOf(box));
      if (way) box.classList.remove(way);
      if (scale > best.scale) best = {way, scale};
      if (scale >= LARGE) break;
    }
    if (best.scale === 0) return false;
    if (best.way) box.classList.add(best.way);
    set(box, best.scale);
    return true;
  };

  const boxes = [...document.querySelectorAll('[data-fit]')];
  for (const [index, box] of boxes.entries()) {
    if (fitted(box)) continue;
    for (const earlier of boxes.slice(0, index)) set(earlier, leastOf(earlier));
    if (index > 0 && fitted(box)) continue;
    return `the ${box.dataset.fit} of the slide does not fit, even in the smallest type that `
      + 'can be read: shorten it, or divide it between two sections';
  }
  return '';
}
