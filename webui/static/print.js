// The button that prints; who has no scripts prints by the browser's menu.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
