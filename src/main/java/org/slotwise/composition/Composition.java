package org.slotwise.composition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;
import org.slotwise.internal.SplitMix;

/** What was drawn from a library: for each new picture the rows of its slots. */
public final class Composition {

    private static final String WHO = "Composition";

    /** Of how many pictures the rows are held at most. */
    private static final int MOST = 10_000_000;

    /** How often a picture is drawn to have no two slots of one source. */
    private static final int ATTEMPTS = 1000;

    private final SlotLibrary library;
    private final int[][] rows;

    private Composition(SlotLibrary library, int[][] rows) {
        this.library = library;
        this.rows = rows;
    }

    static Composition draw(
            SlotLibrary library, int count, CompositionRule rule, long seed, boolean different) {
        Limits.count("SlotLibrary", "count", count, 1, MOST);
        rule.check(library);
        int[][] rows = new int[count][];
        for (int i = 0; i < count; i++) {
            // a stream of draws for each picture: more pictures change none
            SplitMix random = new SplitMix(seed, i);
            rows[i] = rule.rows(library, i, random);
            for (int again = 1; different && isRepeating(library, rows[i]); again++) {
                if (again == ATTEMPTS) {
                    throw new IllegalArgumentException(
                            "SlotLibrary: 1000 draws of "
                                    + rows[i].length
                                    + " slots each had two of one picture, where there are slots of "
                                    + library.size() / library.slotsPerPicture()
                                    + "; take slots of more pictures, a rule of fewer slots, or"
                                    + " compose");
                }
                rows[i] = rule.rows(library, i, random);
            }
        }
        return new Composition(library, rows);
    }

    private static boolean isRepeating(SlotLibrary library, int[] rows) {
        return Arrays.stream(rows).map(library::picture).distinct().count() < rows.length;
    }

    /**
     * How many pictures there are.
     *
     * @return at least 1
     */
    public int size() {
        return rows.length;
    }

    /**
     * Which slots of the library a picture has.
     *
     * @param picture from 0 to size - 1
     * @return its rows, in order; slot r of picture n of the library is row n K + r
     */
    public int[] rows(int picture) {
        Check.option(
                picture >= 0 && picture < rows.length,
                WHO + ": picture must be from 0 to " + (rows.length - 1) + ", got " + picture);
        return rows[picture].clone();
    }

    /**
     * The slots of some pictures that have equally many.
     *
     * @param manager what owns the result, and on whose device it is
     * @param from the first picture
     * @param to behind the last, at least from + 1
     * @return (to - from, K', D) float32
     * @throws IllegalArgumentException if the range is not inside or has too many slots for an
     *     array, or pictures have different numbers of slots
     */
    public NDArray slots(NDManager manager, int from, int to) {
        checkRange(from, to);
        int count = rows[from].length;
        int[][] some = new int[to - from][];
        for (int i = from; i < to; i++) {
            Check.option(
                    rows[i].length == count,
                    WHO
                            + ": pictures must have equally many slots, got "
                            + count
                            + " and "
                            + rows[i].length
                            + "; images take any");
            some[i - from] = rows[i];
        }
        return slots(manager, List.of(some));
    }

    private NDArray slots(NDManager manager, List<int[]> some) {
        int count = some.get(0).length;
        int dim = library.slotDim();
        Limits.numbers(WHO, "slots", some.size(), count, dim);
        float[] values = new float[some.size() * count * dim];
        int at = 0;
        for (int[] picture : some) {
            for (int row : picture) {
                library.copySlot(row, values, at);
                at += dim;
            }
        }
        return manager.create(values, new Shape(some.size(), count, dim));
    }

    /**
     * Renders some pictures. Those with equally many slots are rendered together.
     *
     * @param manager what owns the result, and on whose device the renderer gets slots
     * @param renderer what makes pictures of slots
     * @param from the first picture
     * @param to behind the last, at least from + 1
     * @return (to - from, 3, H, W), in the order of the pictures
     * @throws IllegalArgumentException if the range is not inside, or the renderer gave something
     *     else
     */
    public NDArray images(NDManager manager, SlotRenderer renderer, int from, int to) {
        checkRange(from, to);
        Map<Integer, List<Integer>> bySize = new TreeMap<>();
        for (int i = from; i < to; i++) {
            bySize.computeIfAbsent(rows[i].length, size -> new ArrayList<>()).add(i);
        }
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        long[] place = new long[to - from];
                        NDList parts = new NDList();
                        int next = 0;
                        for (List<Integer> pictures : bySize.values()) {
                            NDArray slots =
                                    slots(manager, pictures.stream().map(i -> rows[i]).toList());
                            NDArray images = renderer.render(slots);
                            Shape one = parts.isEmpty() ? null : parts.head().getShape();
                            Check.shape(
                                    WHO,
                                    "what the renderer makes",
                                    images,
                                    pictures.size(),
                                    3,
                                    one == null ? "H" : (Object) one.get(2),
                                    one == null ? "W" : (Object) one.get(3));
                            parts.add(images);
                            for (int i : pictures) {
                                place[i - from] = next++;
                            }
                        }
                        NDArray all = NDArrays.concat(parts, 0);
                        Shape shape = all.getShape();
                        NDArray order = Ops.indices(all, place);
                        NDArray sorted = Ops.rows(all.reshape(shape.get(0), -1), order);
                        return scope.keep(sorted.reshape(shape), manager);
                    }
                });
    }

    private void checkRange(int from, int to) {
        Check.option(
                0 <= from && from < to && to <= rows.length,
                WHO + ": range " + from + " to " + to + " is not inside 0 to " + rows.length);
    }
}
