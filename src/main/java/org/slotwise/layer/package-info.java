/**
 * What models are made of: layers that are no model by themselves, under the names, the starting
 * values and with the numbers of PyTorch's.
 */
@NullMarked
package org.slotwise.layer;

import org.jspecify.annotations.NullMarked;
