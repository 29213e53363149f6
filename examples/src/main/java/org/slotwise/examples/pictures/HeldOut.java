package org.slotwise.examples.pictures;

import java.io.IOException;
import java.util.Random;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/**
 * Pictures to learn from, and others by which it is seen how well that goes. Which are held out
 * depends on their number alone: trainings with several seeds can be compared.
 *
 * @param learning what a model learns from
 * @param others what it does not see
 */
record HeldOut(Scenes learning, Scenes others) {

    private static final int MOST = 100;

    /**
     * How many are held out if nobody says.
     *
     * @param pictures how many there are
     */
    static int usual(long pictures) {
        return (int) Math.max(1, Math.min(MOST, pictures / 10));
    }

    /**
     * Draws some.
     *
     * @param scenes all
     * @param count how many are held out, fewer than all
     */
    static HeldOut of(Scenes scenes, int count) {
        int[] order = new int[Math.toIntExact(scenes.size())];
        Random draws = new Random(0);
        for (int i = 0; i < order.length; i++) {
            int j = draws.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        Scenes drawn = new Drawn(scenes, order);
        return new HeldOut(drawn.range(count, order.length), drawn.range(0, count));
    }

    private record Drawn(Scenes scenes, int[] order) implements Scenes {
        @Override
        public long size() {
            return order.length;
        }

        @Override
        public Scene get(long index) throws IOException {
            return scenes.get(order[Math.toIntExact(index)]);
        }
    }
}
