// <button data-countdown="60" data-countdown-label="Send again in {seconds} s"> waits before it may be used again.
for (const button of document.querySelectorAll("[data-countdown]")) {
  const label = button.querySelector("[data-label]") ?? button;
  const idle = label.textContent;
  const ends = Date.now() + Number(button.dataset.countdown) * 1000;
  const tick = () => {
    const seconds = Math.ceil((ends - Date.now()) / 1000);
    button.disabled = seconds > 0;
    label.textContent = seconds > 0 ? button.dataset.countdownLabel.replace("{seconds}", seconds) : idle;
    if (seconds > 0) setTimeout(tick, 1000);
  };
  tick();
}
