/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of primers and stimuli, each once: the agent's registry, the words a scenario
 * may use and their help come from this list. A new kind is one line here and
 * agents/stimuli/<name>.c, which defines stimulus_<name>().
 */
#ifndef VCPULAT_STIMULUS_KINDS_H
#define VCPULAT_STIMULUS_KINDS_H

/* X(symbol, name, what it does and its parameters) */
#define STIMULUS_KINDS(X)                                                                                              \
	X(MLOCK, mlock, "dirties the CPU's memory counters")                                                           \
	X(STAT_REFRESH, stat_refresh, "makes the kernel fold memory counters on every CPU")                            \
	X(CALIBRATE, calibrate, "executes insns=N,N... instructions, payload=plain,fault,rep,irq, each pair in turn")  \
	X(SPIN, spin, "only takes time")                                                                               \
	X(FAULT, fault,                                                                                                \
	  "touches pages=N new pages, of 2 MiB with huge=yes, and gives them back the next time, with keep=no "        \
	  "at once, with every=M all but each Mth at once; charged to cgroup=NAME; merged where alike with "           \
	  "mergeable=yes")                                                                                             \
	X(FAULT_RATE, fault_rate,                                                                                      \
	  "counts page faults of 1, 2, 3 ... threads on cpus=LIST (housekeeping CPUs), an action each: for length=MS " \
	  "(400), pages=N (512) a round")                                                                              \
	X(SPLIT, split, "splits a mapping and joins it again: slabs of vm_area_struct")                                \
	X(WRITE, write,                                                                                                \
	  "writes value=TEXT to path=FILE, then, hold=MS later, back=TEXT (to back_path=FILE); with refused=ok it "    \
	  "may be busy; before it first_value=TEXT to first_path=FILE, then first_back=TEXT; at the same time so "     \
	  "with beside_value=TEXT, beside_path=FILE and beside_back=TEXT; tells by how much counter=NAME of "          \
	  "/proc/vmstat grows meanwhile, and fails if by less than least=N (0)")                                       \
	X(TOUCH, touch,                                                                                                \
	  "in a guest: touches the next page of shape.guest_shared, or of the first pages=N, which are there")         \
	X(MINOR_FAULT, minor_fault,                                                                                    \
	  "touches the next of pages=N pages of memory=shmem or hugetlb, whose content userfaultfd brings then; "      \
	  "async=yes: in a bare guest a kworker waits for it")                                                         \
	X(PAGEOUT, pageout, "has a process that maps file=PATH swap that out, to compressed memory of our own")        \
	X(LIST, list, "reads a directory of a file system on device=/dev/loopN, which it makes")                       \
	X(FLUSH_BUFFERS, flush_buffers,                                                                                \
	  "has the kernel forget the buffers of device=FILE, whose pages stay in memory; with make=yes it makes "      \
	  "/dev/loopN for it")                                                                                         \
	X(COLLAPSE, collapse, "has a huge page made of a small one of its own")                                        \
	X(STALL, stall,                                                                                                \
	  "fills memory node=N but for what is in the counters of stuck=CPUS only, and touches more on "               \
	  "touchers=CPUS, with tasks=N (1) on each")                                                                   \
	X(RECLAIM, reclaim, "fills memory node=N, and touches pages=N (64) more, so that it has to free others first") \
	X(MIGRATE, migrate,                                                                                            \
	  "moves pages=N pages of process pid=PID, only huge ones with huge=yes, to NUMA node 1, and the next time "   \
	  "back to 0")                                                                                                 \
	X(DRAIN, drain, "has all CPUs empty their batches of new pages, as who moves pages does, but moves none")      \
	X(STORM, storm,                                                                                                \
	  "acts rate=N times a second for length=MS like drain=KIND, whose parameters it takes, while tasks on "       \
	  "load=CPUS or load=all fault pages")                                                                         \
	X(PLUG, plug,                                                                                                  \
	  "plugs step=MIB of size=MIB, all of shape.guest_pluggable, out of the guest domain=NAME, the next time as "  \
	  "much more, and all in again when nothing is left")                                                          \
	X(OOM, oom,                                                                                                    \
	  "starts a process in cgroup=NAME that takes memory until the OOM killer ends it, and acts like drain=KIND "  \
	  "meanwhile")                                                                                                 \
	X(MEMORY_HIGH, memory_high, "lowers memory.high of cgroup=NAME below what is charged, and lifts it again")     \
	X(REFAULT, refault,                                                                                            \
	  "touches the next pages=N (64) pages of a mapping twice as large as the limit that it gives cgroup=NAME: "   \
	  "they are back from swap, a compressed memory of our own, when others have left for it")                     \
	X(GROUPS, groups,                                                                                              \
	  "reads memory.stat of readers=N (0) of groups=N memory cgroups named cgroup=NAME-0 and so on, then maps a "  \
	  "page that is charged to each, again and again")

#endif
