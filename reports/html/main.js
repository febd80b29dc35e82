// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
page.tables();
page.exact();
page.faults();
page.stimulus();
page.lanes();
page.gaps();
page.spread();
page.whenLightChanges(page.tables);
document.documentElement.dataset.ready = "yes";
