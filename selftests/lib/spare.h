/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault injection spares what only sets the scene, as a test whose devices could not be made tells
 * of nothing.
 */
#ifndef KZC_SPARE_H
#define KZC_SPARE_H

/* From here to spare_end() no call of this process fails on purpose; may be nested. */
void spare_begin(void);
void spare_end(void);

#endif
