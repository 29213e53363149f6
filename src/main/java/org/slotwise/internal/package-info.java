/**
 * The few tensor operations that DJL lacks, and the checks of inputs and options. Not for users.
 */
@NullMarked
package org.slotwise.internal;

import org.jspecify.annotations.NullMarked;
