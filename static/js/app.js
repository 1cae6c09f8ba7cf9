// Every behaviour of the pages. Each module finds its elements by a data attribute, and every page works without any of them.
import "./copy.js";
import "./countdown.js";
import "./crop.js";
import "./dialog.js";
import "./error-summary.js";
import "./filter.js";
import "./menu.js";
import "./passkeys.js";
import "./password-strength.js";
import "./pending.js";
import "./print.js";
import "./relative-time.js";
import "./run-query.js";
import "./show-password.js";
import "./theme.js";
import "./time-zone.js";
import "./try-request.js";
