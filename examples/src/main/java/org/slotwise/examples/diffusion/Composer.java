package org.slotwise.examples.diffusion;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.slotwise.composition.Composition;
import org.slotwise.composition.CompositionRule;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.slate.SlotChoice;

/**
 * Says which slots are put together. Each picture has draws of its own: it is the same however many
 * others there are.
 */
final class Composer {

    /** A share of the attention, in relation to 1 / K, below which slots are empty. */
    private static final double LEAST_SHARE = 0.02;

    /** A slot that has less than this part of the mean share of its cluster is empty. */
    private static final double LEAST_PART = 0.5;

    /** Which slots are put together. */
    enum Rule {
        /** One of the background's cluster, and some of others. */
        OBJECTS,
        /** One of each of some pictures in a row. */
        SHIFTED
    }

    private final SlotLibrary library;
    private final int slots;
    private final int[] grounds;
    private final int[] things;
    private final int objects;
    private final Rule rule;
    private final Composition shifted;

    /**
     * Composes of a library.
     *
     * @param all the slots, also empty ones
     * @param rule which are put together
     * @param objects how many objects a picture has beside its background
     */
    Composer(SlotLibrary all, Rule rule, int objects) {
        library = all.withoutEmptySlots(LEAST_PART);
        this.rule = rule;
        this.objects = objects;
        slots = all.slotsPerPicture();
        // A background has more of the attention than if all had the same, an object less.
        double even = 1.0 / slots;
        int[] large = between(even, Double.POSITIVE_INFINITY);
        grounds = large.length == 0 ? new int[] {library.background()} : large;
        things = between(LEAST_SHARE * even, even);
        shifted = library.compose(library.size() / slots, CompositionRule.shifted(), 0);
    }

    private int[] between(double least, double most) {
        return IntStream.range(0, library.clusters())
                .filter(i -> library.meanShare(i) > least && library.meanShare(i) <= most)
                .toArray();
    }

    /** Prints how large clusters are. */
    void describe(PrintWriter out) {
        out.printf(
                "clusters of %s slots, their shares of attention %s%n",
                IntStream.range(0, library.clusters()).mapToObj(library::count).toList(),
                IntStream.range(0, library.clusters())
                        .mapToObj(i -> String.format(Locale.ROOT, "%.3f", library.meanShare(i)))
                        .toList());
        out.flush();
    }

    /** The slots of some pictures, as many in each. */
    List<List<SlotChoice>> pictures(int seed, long from, long to) {
        return LongStream.range(from, to).mapToObj(i -> picture(seed, i)).toList();
    }

    private List<SlotChoice> picture(int seed, long number) {
        int[] rows =
                rule == Rule.SHIFTED
                        ? shifted.rows((int) (number % shifted.size()))
                        : objects(new Random(mixed(seed, number)));
        return IntStream.of(rows)
                .mapToObj(row -> new SlotChoice(row / slots, row % slots))
                .toList();
    }

    private int[] objects(Random random) {
        int count = things.length == 0 ? 0 : objects;
        int[] clusters = new int[1 + count];
        Arrays.setAll(clusters, i -> cluster(i == 0 ? grounds : things, random));
        return library.compose(1, CompositionRule.of(clusters), random.nextLong()).rows(0);
    }

    /** One of some clusters, the more likely the more slots it has. */
    private int cluster(int[] some, Random random) {
        int left = random.nextInt(IntStream.of(some).map(library::count).sum());
        int at = 0;
        while (left >= library.count(some[at])) {
            left -= library.count(some[at++]);
        }
        return some[at];
    }

    /** A seed for something that has a number, unlike those of other seeds and numbers. */
    static long mixed(int seed, long number) {
        return new SplittableRandom(number << Integer.SIZE ^ seed & 0xffffffffL).nextLong();
    }
}
