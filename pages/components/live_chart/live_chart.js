// A Plotly chart on one node that outlives its updates, so that zoom, hover and legend choices do too.

const touch = matchMedia("(hover: none)").matches;
const CONFIG = {
  displaylogo: false,
  displayModeBar: touch ? false : "hover",
  doubleClick: touch ? false : "reset+autosize",
};

const charts = new WeakMap(); // node -> what is shown in it, and what should be
let loading; // one plotly.js a page, whatever the number of charts

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".augury-chart");
  if (!charts.has(node)) charts.set(node, mount(node));
  const chart = charts.get(node);
  chart.wanted = new TextDecoder().decode(data);
  chart.pick = (id) => setTriggerValue("picked", id);
  draw(chart);
  // Streamlit also calls this for a run that a newer one overtook, while the chart still stands.
  return () => node.isConnected || unmount(chart);
}

function mount(node) {
  const chart = { node, plot: node.querySelector(".plot"), trouble: node.querySelector(".trouble") };
  chart.observer = new ResizeObserver(() => draw(chart));
  chart.observer.observe(node);
  return chart;
}

function unmount(chart) {
  chart.observer.disconnect();
  charts.delete(chart.node);
  window.Plotly?.purge(chart.plot);
}

async function draw(chart) {
  try {
    const message = JSON.parse(chart.wanted);
    if (!message.figure) return await load(message.plotly); // only fetched ahead of the first chart
    chart.node.role = "figure"; // not "img", which may hold no buttons, and the mode bar has some
    chart.node.ariaLabel = message.alt;
    const height = Math.round(Math.max(message.height * scale(), (message.share ?? 0) * window.innerHeight));
    chart.node.style.height = `${height}px`;
    const Plotly = await load(message.plotly);
    const width = chart.node.clientWidth;
    if (!width) return; // in a closed tab or expander; the observer calls again when it opens
    const theme = themeOf(chart.node);
    const wanted = [chart.wanted, theme.key, width, height].join();
    if (wanted === chart.shown) return;
    chart.shown = wanted;
    const { data, layout } = inTheme(JSON.parse(chart.wanted, theme.resolve).figure, theme);
    chart.alt = message.alt;
    chart.config ??= withButtons(chart); // one for all its updates: another would end a person's zoom
    await Plotly.react(chart.plot, data, { ...layout, width, height }, chart.config);
    if (!chart.listens) listen(chart);
    chart.trouble.textContent = "";
    chart.node.classList.add("drawn");
  } catch (error) {
    chart.shown = undefined;
    chart.trouble.textContent = `This chart could not be drawn (${error.message}). Reload the page to try again.`;
    chart.node.classList.add("drawn");
    console.error(error);
  }
}

function withButtons(chart) {
  const { Icons } = window.Plotly;
  const save = (format, icon) => ({
    name: format,
    title: `Save as ${format.toUpperCase()}`,
    icon,
    click: () => savePicture(chart, format),
  });
  const views = ["zoom2d", "pan2d", "resetScale2d"];
  return { ...CONFIG, modeBarButtons: [[...views, save("png", Icons.camera), save("svg", Icons.disk)]] };
}

const CAPTION = 12; // pixels, of its letters
const SAVED_FONT = "Helvetica, Arial, sans-serif"; // the page's own is not in a file, and others are wider

// The chart as it is shown, and beneath it what it shows, in the words that stand for it: they have its n.
function savePicture(chart, format) {
  const { data, layout } = chart.plot;
  const size = CAPTION * scale();
  const lines = wrapped(chart.alt, layout.width / (0.6 * size));
  const foot = layout.margin?.b ?? 40;
  const caption = {
    text: lines.map(escaped).join("<br>"),
    font: { size },
    align: "left",
    showarrow: false,
    xref: "paper",
    x: 0,
    xanchor: "left",
    xshift: -(layout.margin?.l ?? 0) + 8,
    yref: "paper",
    y: 0,
    yanchor: "top",
    yshift: -foot - 2,
  };
  const room = 1.3 * size * lines.length + 12;
  const figure = {
    data,
    layout: {
      ...layout,
      annotations: [...(layout.annotations ?? []), caption],
      font: { ...layout.font, family: SAVED_FONT },
      height: layout.height + room,
      margin: { ...layout.margin, b: foot + room },
    },
  };
  const name = chart.alt.toLowerCase().match(/[a-z0-9]+/g)?.slice(0, 6).join("-") ?? "chart";
  const { width, height } = figure.layout;
  return window.Plotly.downloadImage(figure, { format, filename: `augury-${name}`, width, height, scale: 2 });
}

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

function wrapped(text, letters) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= letters || !lines.at(-1)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

// A point with an id can be picked.
function listen(chart) {
  chart.listens = true;
  const over = (on) => (event) => chart.plot.classList.toggle("over", on && event.points[0].id !== undefined);
  chart.plot.on("plotly_hover", over(true));
  chart.plot.on("plotly_unhover", over(false));
  chart.plot.on("plotly_click", ({ points }) => points[0].id !== undefined && chart.pick(points[0].id));
}

// Streamlit sends no validator with this file, so a plain <script> would fetch its 1.5 MB again on every
// load; "force-cache" takes the browser's copy as it is. The address changes with plotly's version.
function load(path) {
  loading ??= (async () => {
    const app = document.querySelector('script[type="module"][src*="static/js/"]').src;
    const answer = await fetch(new URL(`../../${path}`, app), { cache: "force-cache" });
    if (!answer.ok) throw new Error(`plotly.js: ${answer.status}`);
    const script = document.createElement("script");
    script.src = URL.createObjectURL(await answer.blob());
    await new Promise((done, failed) => {
      script.onload = done;
      script.onerror = () => failed(new Error("plotly.js did not load"));
      document.head.append(script);
    });
    URL.revokeObjectURL(script.src);
    return window.Plotly;
  })();
  loading.catch(() => (loading = undefined)); // the next update tries again
  return loading;
}

// A figure's lengths are for a page whose letters are 16 px high. A page with larger ones has larger charts.
const scale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

function themeOf(node) {
  const style = getComputedStyle(node);
  const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const theme = {
    text: value("text-color"),
    background: value("background-color"),
    border: value("border-color"),
    faint: value("border-color-light"),
    accent: value("primary-color"),
    font: value("font"),
    palette: value("chart-categorical-colors").split(","),
    scale: scale(),
  };
  theme.key = Object.values(theme).join();
  theme.resolve = (name, item) => {
    if (name.endsWith("font") && item) return item.size ? { ...item, size: item.size * theme.scale } : item;
    if (name === "uniformtext") return { ...item, minsize: item.minsize * theme.scale };
    if (name === "margin") return Object.fromEntries(Object.entries(item).map(([side, px]) => [side, px * theme.scale]));
    // A figure may say "var(--st-…)" where it needs a colour of the theme.
    return typeof item === "string" && item.startsWith("var(--st-") ? value(item.slice(9, -1)) : item;
  };
  return theme;
}

// The figure with the theme's colours wherever it names none.
function inTheme({ data, layout = {} }, theme) {
  const clear = "rgba(0,0,0,0)";
  const axis = {
    gridcolor: theme.faint,
    linecolor: theme.border,
    zerolinecolor: theme.border,
    tickcolor: theme.border,
  };
  // The line under the pointer; an axis that is given its colour gets one, so only where it belongs.
  const pointer = { spikecolor: theme.border, spikedash: "solid", spikethickness: 1 };
  const themed = {
    uirevision: "kept",
    colorway: theme.palette,
    // On a touch screen a finger on the chart scrolls the page; a tap still shows the values.
    dragmode: touch ? false : "zoom",
    ...layout,
    // The page's own, not transparent: Plotly draws the pointer's line for a white page otherwise, and a
    // saved picture would have dark letters on nothing.
    paper_bgcolor: theme.background,
    plot_bgcolor: theme.background,
    font: { color: theme.text, family: theme.font, size: 13 * theme.scale, ...layout.font },
    hoverlabel: {
      bgcolor: theme.background,
      bordercolor: theme.border,
      ...layout.hoverlabel,
      font: { color: theme.text, family: theme.font, size: 13 * theme.scale, ...layout.hoverlabel?.font },
    },
    legend: { bgcolor: clear, ...layout.legend },
    modebar: { bgcolor: clear, color: theme.border, activecolor: theme.accent, ...layout.modebar },
  };
  for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout)])) {
    const points = layout.hovermode === "x unified" && name.startsWith("x");
    if (!/^[xy]axis\d*$/.test(name)) continue;
    themed[name] = { ...axis, ...(points && pointer), ...layout[name] };
    // As large as the ticks' letters, and clear of them.
    const title = layout[name]?.title;
    if (title) themed[name].title = { standoff: 6, ...title, font: { size: 13, ...title.font } };
  }
  return { data, layout: themed };
}
