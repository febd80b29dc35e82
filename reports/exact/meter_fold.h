/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of one gap, folded: whose instructions were they? See reports/exact/meter.h for what
 * contexts mean. Pure: blocks and steps in, costs out.
 */
#ifndef VCPULAT_METER_FOLD_H
#define VCPULAT_METER_FOLD_H

#include "reports/exact/meter.h"
#include "reports/exact/meter_read.h"
#include "reports/trace/kallsyms.h"

struct meter_folder;

/**
 * meter_folder_new - a folder that knows no block yet
 * @names: gets the names it meets; borrowed
 * @syms: of both layers; borrowed; an element may be NULL
 *
 * Return: the folder, or NULL with errno ENOMEM.
 */
struct meter_folder *meter_folder_new(struct names *names, struct kallsyms *const syms[METER_LAYERS]);

/**
 * meter_folder_free - free the folder
 * @folder: may be NULL
 */
void meter_folder_free(struct meter_folder *folder);

/**
 * meter_folder_block - learn a block
 * @folder: the folder
 * @block: as in the file; ids must come in order
 *
 * Return: 0, -EINVAL for an id out of order, or -ENOMEM.
 */
int meter_folder_block(struct meter_folder *folder, const struct meter_block_record *block);

/**
 * meter_folder_calibrate - a mark of the calibration payload was executed on the probe's CPU
 * @folder: the folder
 * @position: instructions that CPU had executed; the first mark opens, the next closes, and so on
 *
 * User space between the two is the function METER_CALIBRATED in gaps folded from now on.
 * Return: 0 or -ENOMEM.
 */
int meter_folder_calibrate(struct meter_folder *folder, uint64_t position);

#define METER_CALIBRATED "[calibrated]"

/**
 * meter_folder_gap - fold the steps of a gap
 * @folder: knows all blocks of the gap
 * @record: as in the file
 * @steps: its encoded steps
 * @probe_layer: layer of the probe
 * @gap: costs, tracer, path, roots and whole are set; the arrays are heap
 *
 * Return: 0, -EINVAL for steps that make no sense, or -ENOMEM.
 */
int meter_folder_gap(struct meter_folder *folder, const struct meter_gap_record *record, const uint8_t *steps,
		     enum meter_layer probe_layer, struct meter_gap *gap);

#endif
