/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the program's own files lie: beside the binary's build tree, beside the binary
 * (the lab's stage directory), or under the installed prefix; $VCPULAT_DATA overrides all.
 * Every function returns a string the caller frees, or NULL with errno.
 */
#ifndef VCPULAT_PATHS_H
#define VCPULAT_PATHS_H

/** paths_scenario_dir - the folder of scenario files */
char *paths_scenario_dir(void);

/** paths_kernel_dir - the folder with config fragments, arms/ and patches/ */
char *paths_kernel_dir(void);

/** paths_guest_dir - the folder with guest templates */
char *paths_guest_dir(void);

/** paths_html_assets - the folder with the report's template, style and script */
char *paths_html_assets(void);

/** paths_self - this program's own binary */
char *paths_self(void);

/** paths_agent - the static agent binary */
char *paths_agent(void);

/** paths_guest_initramfs - the guest's initramfs, with the agent as PID 1 */
char *paths_guest_initramfs(void);

/** paths_lab_initramfs - the initramfs that brings up an emulated host under test */
char *paths_lab_initramfs(void);

/** paths_meter - the instruction meter, a QEMU plugin */
char *paths_meter(void);

/**
 * paths_cache - the cache for kernels and images
 *
 * $XDG_CACHE_HOME/vcpulat, or ~/.cache/vcpulat; not created here.
 */
char *paths_cache(void);

#endif
