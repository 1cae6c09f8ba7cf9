// Lets people choose which square of a picture is shown, with the pointer or the arrow keys. The server cuts; without this it cuts
// the middle.
const STEP = 0.05;

for (const form of document.querySelectorAll("[data-crop]")) {
  const find = (name) => form.querySelector(`[data-crop-${name}]`);
  const canvas = find("canvas");
  const place = { x: 0.5, y: 0.5, zoom: 1 };
  let picture = null;

  find("file").addEventListener("change", async (event) => {
    picture = await createImageBitmap(event.target.files[0]).catch(() => null);
    Object.assign(place, { x: 0.5, y: 0.5, zoom: 1 });
    find("zoom").value = 1;
    find("area").hidden = !picture;
    draw();
  });
  find("zoom").addEventListener("input", (event) => move({ zoom: Number(event.target.value) }));
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    move({ x: place.x + way[0] * STEP, y: place.y + way[1] * STEP });
  });
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (!picture || !canvas.hasPointerCapture(event.pointerId)) return;
    const side = sideOf();
    const scale = side / canvas.clientWidth;
    move({
      x: place.x - (event.movementX * scale) / Math.max(1, picture.width - side),
      y: place.y - (event.movementY * scale) / Math.max(1, picture.height - side),
    });
  });

  const sideOf = () => Math.min(picture.width, picture.height) / place.zoom;

  function move(changes) {
    Object.assign(place, changes);
    place.x = Math.min(1, Math.max(0, place.x));
    place.y = Math.min(1, Math.max(0, place.y));
    draw();
  }

  function draw() {
    if (!picture) return;
    const side = sideOf();
    const [left, top] = [(picture.width - side) * place.x, (picture.height - side) * place.y];
    canvas.getContext("2d").drawImage(picture, left, top, side, side, 0, 0, canvas.width, canvas.height);
    find("x").value = place.x.toFixed(4);
    find("y").value = place.y.toFixed(4);
    find("size").value = place.zoom;
  }
}
