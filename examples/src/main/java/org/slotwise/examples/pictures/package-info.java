/**
 * From a folder of one's own pictures to masks: the commands {@code train}, {@code evaluate},
 * {@code predict}, {@code show} and {@code package} of {@link org.slotwise.examples.Slotwise}.
 */
@NullMarked
package org.slotwise.examples.pictures;

import org.jspecify.annotations.NullMarked;
