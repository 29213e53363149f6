/** What several programs use: how they start, what they read and write, how scenes are scored. */
@NullMarked
package org.slotwise.examples.shared;

import org.jspecify.annotations.NullMarked;
