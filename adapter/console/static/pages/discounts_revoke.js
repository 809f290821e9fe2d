// The next slice begins by itself; without this the button does it. A failure stops it, because it leads to another page.
const form = document.querySelector("form[data-goes-on]");
if (form) setTimeout(() => form.requestSubmit(), 300);
