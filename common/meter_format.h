/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter.bin: what the instruction meter saw from outside an emulated host. Written by the
 * plugin, read as hostile input. Little endian. One struct meter_header, then records, each
 * beginning with struct meter_record and padded to a multiple of eight bytes.
 *
 * Numbers of instructions are exact but for `slack`, which every gap carries: QEMU reports
 * blocks when they begin, and a block cut short by a fault or an intercept is corrected when
 * its rest is executed. Where that cannot be proved the block's size is added to the slack:
 * the true count lies in [count - slack, count].
 *
 * A `rep` string instruction counts as one instruction; how often it is then executed again
 * stands apart. QEMU 7.2 looks at the count once more after the last iteration, so that this
 * is the number of iterations.
 *
 * The steps of a gap are variable-length integers (seven bits a byte, lowest first, the top
 * bit says that more follow): value << 3 | enum meter_step << 1 | layer (0 host, 1 guest).
 * First steps_head steps from the beginning of the gap, then steps_tail from its end; when
 * both together are fewer than `steps` the middle was not kept.
 */
#ifndef VCPULAT_METER_FORMAT_H
#define VCPULAT_METER_FORMAT_H

#include <stdint.h>

#define METER_MAGIC "VCPLMETR"
#define METER_VERSION 1
#define METER_NO_GAP UINT32_MAX

enum meter_layer { METER_HOST, METER_GUEST, METER_LAYERS };

enum meter_type {
	METER_RUN = 1, /* struct meter_run_record */
	METER_BLOCK,   /* struct meter_block_record: before the first gap that refers to it */
	METER_GAP,     /* struct meter_gap_record */
	METER_MARK,    /* struct meter_mark_record */
	METER_RUN_END, /* struct meter_run_record with its totals filled in */
	METER_END      /* struct meter_end_record: the file is whole */
};

enum meter_step {
	METER_STEP_BLOCK,  /* value: file id of the block that began to execute */
	METER_STEP_CUT,	   /* value: instructions to take from the function of the following block: counted twice */
	METER_STEP_REP,	   /* value: iterations of the `rep` instruction that ends the preceding block */
	METER_STEP_REPEAT, /* value: how many more times the preceding block began */
};

/* Flags of a block. */
#define METER_BLOCK_INDIRECT 0x01U  /* its last instruction may go anywhere: ret, indirect jump or call, syscall */
#define METER_BLOCK_CALL 0x02U	    /* ends with a call */
#define METER_BLOCK_IRET 0x04U	    /* ends with iret */
#define METER_BLOCK_VMRUN 0x08U	    /* ends with VMRUN */
#define METER_BLOCK_REP 0x10U	    /* ends with a `rep` string instruction */
#define METER_BLOCK_ENTRY 0x20U	    /* was reached by an interrupt or exception */
#define METER_BLOCK_ANONYMOUS 0x40U /* stands for any block of that many instructions: the table was full */

/* Flags of a gap. */
#define METER_GAP_BY_TIME 0x01U	    /* the probe recorded it; without BY_INSNS no steps are kept */
#define METER_GAP_BY_INSNS 0x02U    /* at least threshold instructions lie between its turns */
#define METER_GAP_MIGRATED 0x04U    /* the probe changed its outer CPU: no counts */
#define METER_GAP_DETAIL_LOST 0x08U /* its steps were not kept: the writer was behind, or the file had its limit */
#define METER_GAP_UNCOUNTED 0x10U   /* the meter did not count yet: no counts */

struct meter_header {
	char magic[8];		  /* METER_MAGIC */
	uint32_t version;	  /* METER_VERSION */
	uint32_t header_bytes;	  /* sizeof(struct meter_header) */
	uint64_t threshold_insns; /* turns at least this far apart are recorded, whether the probe saw it or not */
	uint32_t steps_max;	  /* steps kept of a gap; half from its beginning, half from its end */
	uint32_t outer_cpus;	  /* CPUs of the emulated host */
};

struct meter_record {
	uint32_t type;	/* enum meter_type */
	uint32_t bytes; /* of the whole record, padding included */
};

/* A run of a probe: from MARK_PROBE_START to MARK_PROBE_STOP. */
struct meter_run_record {
	struct meter_record head;
	uint32_t run;	/* counted from 0 over the whole file */
	uint32_t cpu;	/* outer CPU where the probe began */
	uint32_t layer; /* enum meter_layer of the probe */
	uint32_t unused;
	uint64_t position;   /* instructions executed by that outer CPU so far */
	uint64_t turns;	     /* totals, in METER_RUN_END only: MARK_TURN seen */
	uint64_t gaps;	     /* MARK_GAP seen */
	uint64_t turn_insns; /* fewest instructions between two turns: what a gap's count contains of the probe */
	uint64_t lost;	     /* gaps of which not even the counts could be kept */
	uint64_t lost_steps; /* gaps without their steps (METER_GAP_DETAIL_LOST) */
	uint64_t migrations; /* times the probe changed its outer CPU */
};

struct meter_block_record {
	struct meter_record head;
	uint64_t pc; /* address of its first instruction */
	uint32_t id; /* file id: counted from 0 in the order of these records */
	uint32_t insns;
	uint32_t bytes; /* of its instructions */
	uint32_t flags; /* METER_BLOCK_* */
};

struct meter_gap_record {
	struct meter_record head;
	uint32_t run;
	uint32_t gap;	   /* its record in probe.bin, from 0; METER_NO_GAP: the probe recorded none */
	uint64_t turn;	   /* the turn that ended it, counted from 1 since MARK_PROBE_START, as in probe.bin */
	uint64_t position; /* instructions that the outer CPU had executed at its end */
	uint64_t insns[METER_LAYERS]; /* between the two turns, the probe's own included */
	uint64_t rep[METER_LAYERS];   /* iterations of `rep` instructions */
	uint64_t exit_insns;	      /* host: from each #VMEXIT to the first interrupt taken, or to VMRUN */
	uint64_t entry_insns;	      /* host: from the return of the last interrupt taken to VMRUN */
	uint64_t steps;		      /* blocks, cuts and reps between the two turns */
	uint32_t exits;		      /* #VMEXITs: world switches there and back */
	uint32_t entries;	      /* VMRUNs */
	uint32_t slack;		      /* instructions that may have been counted twice, at most */
	uint32_t flags;		      /* METER_GAP_* */
	uint32_t cpu;		      /* outer CPU */
	uint16_t head_skip;	      /* instructions of the first block that lie before the gap */
	uint16_t tail_skip;	      /* instructions of the last block that lie after it */
	uint32_t steps_head;
	uint32_t steps_tail;
	uint32_t step_bytes; /* of the encoded steps, which follow */
	uint32_t unused;
};

struct meter_mark_record {
	struct meter_record head;
	uint32_t run;		 /* the latest run that was active; METER_NO_GAP: none */
	uint32_t cpu;		 /* outer CPU that executed the mark */
	uint32_t layer;		 /* enum meter_layer in which it was executed */
	uint32_t code;		 /* MARK_* of common/marks.h */
	uint64_t position;	 /* instructions that outer CPU had executed */
	uint64_t rep;		 /* iterations of `rep` instructions it had executed */
	uint64_t probe_position; /* instructions the probe's outer CPU had executed, a few blocks old at most */
	uint64_t probe_turn;	 /* turns the probe had made */
};

struct meter_end_record {
	struct meter_record head;
	uint64_t lost;	    /* records that found no place, of all runs */
	uint64_t blocks;    /* interned */
	uint64_t anonymous; /* translations that found the block table full */
	uint64_t stray;	    /* marks of a probe that could not be assigned to a run */
};

#endif
