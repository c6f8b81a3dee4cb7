// Asking until something stands still: quickly at first, more slowly as time goes by, not at all out of sight.
const FIRST_MS = 700;
const SLOWEST_MS = 5000;
const GROWTH = 1.3;

/** ASK() resolves to a document, SHOW(document) draws it, FAILED(problem, isFirst) says why not. Asks until ISFINAL(document). */
export function watch({ ask, isFinal, show, failed }) {
  let pause = FIRST_MS;
  let timer = 0;
  let isFirst = true;
  let asking = null;

  async function round() {
    let isDone = false;
    try {
      const found = await ask();
      isDone = isFinal(found);
      show(found);
      isFirst = false;
    } catch (problem) {
      failed(problem, isFirst);
      isDone = problem.status === 404 || problem.status === 401;
    }
    if (isDone || document.hidden) return;
    timer = setTimeout(now, pause);
    pause = Math.min(SLOWEST_MS, pause * GROWTH);
  }

  function now() {
    clearTimeout(timer);
    asking ??= round().finally(() => (asking = null));
    return asking;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    pause = FIRST_MS;
    now();
  });
  now();
  return {
    now() {
      pause = FIRST_MS;
      return now();
    },
  };
}
