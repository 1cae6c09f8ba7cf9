// After a refused form the list of its errors is where the reader is.
document.querySelector("[data-error-summary]")?.focus();
