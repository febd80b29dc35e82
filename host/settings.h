/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the host that a run changes. Each change is written to a journal and synced
 * before it is made, and undone in reverse: by settings_restore() on every exit, or by
 * `vcpulat recover` when the run was killed, or could not undo all of them. A lock beside the journal admits one run.
 */
#ifndef VCPULAT_SETTINGS_H
#define VCPULAT_SETTINGS_H

#include <stddef.h>

#include "common/cleanup.h"
#include "common/err.h"

struct settings;

/**
 * settings_dir - where the journal and other state of runs lie
 *
 * /run/vcpulat for root, else $XDG_RUNTIME_DIR/vcpulat.
 * Return: a string the caller frees, or NULL with errno ENOMEM.
 */
char *settings_dir(void);

/**
 * settings_open - take the lock and begin a journal
 * @dir: as settings_dir(); created
 * @ret: handle
 * @err: says what failed, and the way out
 *
 * Return: 0, -EBUSY while another run holds the lock, -EEXIST when an earlier run left a
 * journal (settings_recover() first), or another -errno.
 */
int settings_open(const char *dir, struct settings **ret, struct err *err);

/**
 * settings_set - change one file, to be undone later
 * @settings: handle
 * @path: a file of procfs or sysfs
 * @value: written as it stands
 * @err: names path and value
 *
 * Of a choice file ("always [madvise] never") the bracketed word is what will be restored. A value that stands there
 * already is not written again, but restored all the same: what is measured may change it.
 * Return: 0, also when the value stood there already; or -errno, then nothing was changed.
 */
int settings_set(struct settings *settings, const char *path, const char *value, struct err *err);

/**
 * settings_restore - undo all changes, the last one first
 * @settings: handle; may be used again
 * @err: names the first file that could not be restored; the others are restored all the same
 *
 * Return: 0; or -errno, then all of them are still to be undone, next time or by settings_recover().
 */
int settings_restore(struct settings *settings, struct err *err);

/**
 * settings_close - restore, remove the journal, let the lock go
 * @settings: NULL is fine
 *
 * The journal of what cannot be restored stays, for settings_recover().
 */
void settings_close(struct settings *settings);

/**
 * settings_recover - undo what the journal says that a run has left
 * @dir: as settings_dir()
 * @ret_count: number of settings restored, those that stood as before not counted
 * @err: as settings_restore()
 *
 * Return: 0, also when there is nothing to undo; -EBUSY while a run is going on; or another -errno.
 */
int settings_recover(const char *dir, size_t *ret_count, struct err *err);

/**
 * settings_chosen - the value to be restored, from a file's content
 * @text: content; cut in place at its end
 *
 * Return: points into @text: the word in brackets if there is one, else all of it.
 */
char *settings_chosen(char *text);

DEFINE_CLEANUP(struct settings *, settings_close)
#define _cleanup_settings_ _cleanup_(settings_closep)

#endif
