/**
 * GNM, Generative Neurosymbolic Machines: scenes drawn from a grid of cells, each with at most one
 * object. Start at {@link org.slotwise.gnm.Gnm}.
 */
@NullMarked
package org.slotwise.gnm;

import org.jspecify.annotations.NullMarked;
