/** The modules that every page has. Pages with a player, a conversation or uploads bring theirs themselves. */
import "./time.js";
import "./notices.js";
import "./submit.js";
import "./dialogs.js";
import "./menus.js";
import "./theme.js";
import "./counter.js";
import "./pictures.js";
import "./forms.js";
import "./focus.js";
import "./draft.js";
import "./own.js";
import "./positions.js"; // before the stream that uses it
import "./live.js";
import "./title.js";
import "./needs-you.js";
import "./refresh.js";
import "./shortcuts.js";
