import "../lib/page.js";
