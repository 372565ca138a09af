"use strict";
// Zooms the time line, and opens what a link leads to. The page can be read without it.
const zoom = document.getElementById("zoom"), page = document.documentElement;
const view = document.querySelector(".timeline .scroll"), all = view.querySelector(".stretch");
const told = (place) =>
  Math.round(all.dataset.end * Math.min(1, place / all.offsetWidth)).toLocaleString("en");
const look = () => {
  document.getElementById("seen").value =
    `${told(view.scrollLeft)} to ${told(view.scrollLeft + view.clientWidth)} ns`;
};
zoom.oninput = () => {
  const middle = (view.scrollLeft + view.clientWidth / 2) / all.offsetWidth;
  page.style.setProperty("--zoom", 2 ** zoom.value);
  view.scrollLeft = middle * all.offsetWidth - view.clientWidth / 2;
  look();
};
view.onscroll = look;
look();
const open = () => {
  const goal = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const folded = goal && goal.closest("details");
  if (folded) { folded.open = true; goal.scrollIntoView({ block: "center" }); }
};
addEventListener("hashchange", open);
open();
