package org.slotwise.examples.pictures;

import java.io.IOException;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/**
 * Some scenes of many, in an order of their own.
 *
 * @param scenes all
 * @param numbers which of them
 */
@SuppressWarnings("ArrayRecordComponent")
record Chosen(Scenes scenes, int[] numbers) implements Scenes {

    @Override
    public long size() {
        return numbers.length;
    }

    @Override
    public Scene get(long index) throws IOException {
        return scenes.get(numbers[Math.toIntExact(index)]);
    }
}
