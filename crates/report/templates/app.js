// Puts what the server sends in place of what is shown. The server has escaped it.
"use strict";
const connection = document.getElementById("connection");
const source = new EventSource(document.body.dataset.events);
source.addEventListener("live", (event) => {
  document.getElementById("live").innerHTML = JSON.parse(event.data);
});
source.onopen = () => { connection.textContent = "live"; connection.classList.add("running"); };
source.onerror = () => { connection.textContent = "not live"; connection.classList.remove("running"); };
