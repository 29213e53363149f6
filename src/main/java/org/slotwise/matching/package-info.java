/** Matching of slots with objects: who stands for whom at the least total cost. */
@NullMarked
package org.slotwise.matching;

import org.jspecify.annotations.NullMarked;
