// On a telephone the sidebar is a sheet at the bottom. This button opens and folds it.

const PHONE = matchMedia("(max-width: 767px)");
const find = (id) => document.querySelector(`[data-testid="${id}"]`);
const isOpen = () => find("stSidebar")?.dataset.collapsed === "false";

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  button.querySelector(".label").textContent = data;
  if (button.onclick) return; // only its label has changed
  button.onclick = () =>
    (isOpen() ? find("stSidebarCollapseButton")?.querySelector("button") : find("stExpandSidebarButton"))?.click();
  const say = () => (button.ariaExpanded = String(isOpen()));
  const observer = new MutationObserver(say);
  observer.observe(document.body, { subtree: true, attributeFilter: ["data-collapsed"] });
  document.body.addEventListener("mousedown", keepOpen); // once, however many pages ask
  say();
  return () => button.isConnected || observer.disconnect();
}

// Streamlit folds a sidebar over a small page at a press beside it, on `document`. The page then moves under the
// finger, and the tap is lost. So such a press ends here: after what is pressed has heard of it, before that.
function keepOpen(event) {
  const sidebar = find("stSidebar");
  if (!PHONE.matches || !isOpen() || sidebar.contains(event.target)) return;
  event.stopPropagation();
}
