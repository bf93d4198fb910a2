const words = document.querySelector("#words"), level = document.querySelector("#level");
const boxes = [...document.querySelectorAll(".tile input")];
function filter() {
  const shown = new Set(boxes.filter(box => box.checked).map(box => box.value));
  for (const section of document.querySelectorAll("section")) {
    let any = false;
    for (const item of section.querySelectorAll(".case")) {
      const visible = shown.has(item.classList[1]) && (!level.value || item.dataset.level === level.value)
        && item.firstElementChild.textContent.toLowerCase().includes(words.value.toLowerCase());
      item.hidden = !visible;
      any = any || visible;
    }
    section.hidden = !any;
  }
}
for (const control of [words, level, ...boxes]) control.addEventListener("input", filter);
