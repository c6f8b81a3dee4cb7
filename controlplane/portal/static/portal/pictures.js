// A picture that is chosen is made fit for phones before it is sent: <input type="file" data-longest="1600">, in pixels of its longer side.
// What is taken with a telephone weighs ten megabytes and says where it was taken. Without this script it is sent as it is.

const HEAVY = 300_000; // bytes
const QUALITY = 0.85;
const under = new WeakMap(); // input -> what is being made of its file

async function made(file, longest) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.size <= HEAVY) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  // A browser that cannot write WebP writes PNG; a photograph is a JPEG then.
  let blob = await written(canvas, "image/webp");
  if (blob.type !== "image/webp" && file.type === "image/jpeg") blob = await written(canvas, "image/jpeg");
  if (scale === 1 && blob.size >= file.size) return file;
  const name = file.name.replace(/\.[^.]*$/, "") + "." + blob.type.slice("image/".length);
  return new File([blob], name, { type: blob.type });
}

function written(canvas, type) {
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(type))), type, QUALITY));
}

async function replace(input, file) {
  let fit = file;
  try {
    fit = await made(file, Number(input.dataset.longest));
  } catch {
    // No picture, or more than this browser can take: whoever gets it says so.
  }
  under.delete(input);
  if (input.files[0] !== file) return; // another one was chosen meanwhile
  if (fit !== file) {
    const files = new DataTransfer();
    files.items.add(fit);
    input.files = files.files;
  }
  input.dataset.fit = "yes";
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// Before any other listener: they see the picture that is sent.
document.addEventListener(
  "change",
  (event) => {
    const input = event.target;
    if (!input.matches?.("input[type=file][data-longest]")) return;
    if (input.dataset.fit) {
      delete input.dataset.fit;
      return;
    }
    if (!input.files.length) return;
    event.stopImmediatePropagation();
    under.set(input, replace(input, input.files[0]));
  },
  true,
);

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const waited = [...form.querySelectorAll("input[type=file][data-longest]")].map((input) => under.get(input)).filter(Boolean);
    if (!waited.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    event.submitter?.setAttribute("data-busy", "");
    Promise.all(waited).then(() => form.requestSubmit(event.submitter));
  },
  true,
);
