/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Binary search in an array of structs that ascends by one of their members, e.g. the ends of intervals. */
#ifndef VCPULAT_SEARCH_H
#define VCPULAT_SEARCH_H

#include <stddef.h>

/* The index of the first of @n elements whose @member is beyond @value; @n when none is. */
#define FIRST_BEYOND(list, n, member, value)                                                                           \
	({                                                                                                             \
		size_t lo_ = 0;                                                                                        \
		size_t hi_ = (n);                                                                                      \
		while (lo_ < hi_) {                                                                                    \
			size_t mid_ = lo_ + (hi_ - lo_) / 2;                                                           \
			if ((list)[mid_].member <= (value))                                                            \
				lo_ = mid_ + 1;                                                                        \
			else                                                                                           \
				hi_ = mid_;                                                                            \
		}                                                                                                      \
		lo_;                                                                                                   \
	})

#endif
