package org.slotwise.examples.pictures;

import java.util.Random;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
     * @param masked how many of them can be scored
     */
    static int usual(long pictures, long masked) {
        return (int) Math.min(masked, Math.max(1, Math.min(MOST, pictures / 10)));
    }

    /**
     * Draws some of those that can be scored.
     *
     * @param scenes all
     * @param canBeScored says it of each
     * @param count how many are held out, fewer than all, and not more than can be scored
     */
    static HeldOut of(Scenes scenes, IntPredicate canBeScored, int count) {
        int[] order = new int[Math.toIntExact(scenes.size())];
        Random draws = new Random(0);
        for (int i = 0; i < order.length; i++) {
            int j = draws.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        int[] others = IntStream.of(order).filter(canBeScored).limit(count).toArray();
        Set<Integer> heldOut = IntStream.of(others).boxed().collect(Collectors.toSet());
        int[] learning = IntStream.of(order).filter(i -> !heldOut.contains(i)).toArray();
        return new HeldOut(new Chosen(scenes, learning), new Chosen(scenes, others));
    }
}
