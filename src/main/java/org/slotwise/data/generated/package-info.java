/** Scenes that are made from a seed: the same scene on every Java and every machine. */
@NullMarked
package org.slotwise.data.generated;

import org.jspecify.annotations.NullMarked;
