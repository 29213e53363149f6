package org.slotwise.composition;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.modality.cv.BufferedImageFactory;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class SlotLibraryTest {

    @TempDir private Path folder;

    /** Beside scikit-learn, and with draws that are given: {@code resources/composition}. */
    @Test
    void clustersAndMembersAreThoseOfTheReference(NDManager manager) {
        ReferenceCase reference =
                ReferenceCase.of("composition", "slot library").findFirst().orElseThrow();
        Map<String, NDArray> arrays = reference.arrays(manager);
        LibraryOptions options =
                LibraryOptions.builder().optClusters(reference.integer("clusters")).build();
        SlotLibrary library =
                SlotLibrary.of(
                        arrays.get("in/slots"), null, arrays.get("in/initial_centers"), options);
        long[] labels = arrays.get("out/labels").toLongArray();
        assertEquals(labels.length, library.size());
        for (int i = 0; i < labels.length; i++) {
            assertEquals(labels[i], library.label(i));
        }
        assertClose("centers", arrays.get("out/centers"), library.centers(manager), 1e-5);
        long[] counts = arrays.get("out/counts").toLongArray();
        double[] draws = arrays.get("in/uniform").toDoubleArray();
        long[] picks = arrays.get("out/pick").toLongArray();
        for (int i = 0; i < picks.length; i++) {
            int cluster = i % counts.length;
            assertEquals(counts[cluster], library.count(cluster));
            assertEquals(picks[i], library.member(cluster, draws[i]));
        }
        int[] rows = Arrays.stream(picks).mapToInt(i -> (int) i).toArray();
        NDArray composed = library.slots(manager, rows).reshape(-1, counts.length, 6);
        Tensors.assertSame("composed", arrays.get("out/composed"), composed);
    }

    /** Pictures of three clear groups: a background, an object, and a slot that is empty. */
    private static SlotLibrary clear(NDManager manager, boolean withShares) {
        return clear(manager, withShares, LibraryOptions.builder().build());
    }

    private static SlotLibrary clear(
            NDManager manager, boolean withShares, LibraryOptions options) {
        NDArray base = manager.create(new float[] {0, 10, 0, 0, 10, 0}, new Shape(1, 3, 2));
        NDArray slots = base.add(Tensors.normal(manager, 1, 20, 3, 2).mul(0.1f));
        NDArray share = manager.create(new float[] {0.7f, 0.25f, 0.05f}, new Shape(1, 3));
        return SlotLibrary.of(
                slots, withShares ? share.broadcast(20, 3) : null, base.squeeze(0), options);
    }

    @Test
    void onePerClusterHasASlotOfEach(NDManager manager) {
        SlotLibrary library = clear(manager, false);
        assertEquals(3, library.clusters());
        assertEquals(3, library.slotsPerPicture());
        assertEquals(2, library.slotDim());
        Composition composed = library.compose(500, CompositionRule.onePerCluster(), 7);
        int[] drawn = new int[library.size()];
        NDArray slots = composed.slots(manager, 0, 500);
        assertEquals(new Shape(500, 3, 2), slots.getShape());
        for (int i = 0; i < 500; i++) {
            int[] rows = composed.rows(i);
            for (int k = 0; k < 3; k++) {
                assertEquals(k, library.label(rows[k]));
                drawn[rows[k]]++;
                Tensors.assertSame("slot", library.slots(manager, rows[k]).get(0), slots.get(i, k));
            }
        }
        // 20 members, each as likely: 25 on average
        for (int count : drawn) {
            assertEquals(25, count, 20);
        }
    }

    @Test
    void picturesFollowFromSeedAndNumber(NDManager manager) {
        SlotLibrary library = clear(manager, false);
        CompositionRule rule = CompositionRule.onePerCluster();
        Composition few = library.compose(3, rule, 7);
        Composition many = library.compose(50, rule, 7);
        Composition other = library.compose(50, rule, 8);
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(few.rows(i), many.rows(i));
        }
        assertTrue(
                IntStream.range(0, 50).anyMatch(i -> !Arrays.equals(many.rows(i), other.rows(i))));
    }

    @Test
    void orderOfPicturesChangesRowsOnly(NDManager manager) {
        NDArray slots = Tensors.normal(manager, 3, 12, 4, 5);
        NDArray centers = slots.get(0);
        long[] order = {5, 3, 1, 0, 2, 4, 11, 10, 9, 8, 7, 6};
        LibraryOptions options = LibraryOptions.builder().build();
        SlotLibrary one = SlotLibrary.of(slots, null, centers, options);
        NDArray permuted = slots.get(manager.create(order));
        SlotLibrary two = SlotLibrary.of(permuted, null, centers, options);
        for (int i = 0; i < 48; i++) {
            assertEquals(one.label((int) order[i / 4] * 4 + i % 4), two.label(i));
        }
        assertClose("centers", one.centers(manager), two.centers(manager), 1e-5);
    }

    @Test
    void backgroundIsThatOfTheLargestShareAndEmptySlotsTakeNoPart(NDManager manager) {
        SlotLibrary library = clear(manager, true);
        assertEquals(0, library.background());
        assertEquals(0.25, library.meanShare(1), 1e-6);
        assertEquals(0.25, library.share(library.nearest(1, 1)[0]), 1e-6);
        assertTrue(library.isEmptySlots(2)); // 0.05 < 0.5 / 3
        assertFalse(library.isEmptySlots(1));
        Composition composed = library.compose(60, CompositionRule.backgroundAnd(0, 1), 1);
        int objects = 0;
        for (int i = 0; i < 60; i++) {
            int[] rows = composed.rows(i);
            assertEquals(0, library.label(rows[0]));
            if (rows.length > 1) {
                assertEquals(2, rows.length);
                assertEquals(1, library.label(rows[1]));
                objects++;
            }
        }
        assertTrue(objects > 10 && objects < 50, "got " + objects);
        assertRefused(
                "CompositionRule: max must be at most 1, as many of 3 clusters hold objects, got 2;"
                        + " LibraryOptions: more come of more clusters, or of a smaller leastShare",
                () -> library.compose(1, CompositionRule.backgroundAnd(0, 2), 1));

        SlotLibrary unknown = clear(manager, false);
        assertTrue(Double.isNaN(unknown.meanShare(0)));
        assertTrue(Double.isNaN(unknown.share(0)));
        assertFalse(unknown.isEmptySlots(2));
        assertRefused(
                "SlotLibrary: the background's cluster is not known without shares of the"
                        + " attention; give shares, or LibraryOptions.optBackground",
                () -> unknown.compose(1, CompositionRule.backgroundAnd(0, 1), 1));
    }

    @Test
    void optionsChangeTheResult(NDManager manager) {
        NDArray slots = Tensors.normal(manager, 3, 30, 4, 5);
        NDArray shares = Tensors.uniform(manager, 4, DataType.FLOAT32, 30, 4);
        SlotLibrary standard = SlotLibrary.of(slots, shares, LibraryOptions.builder().build());
        assertEquals(4, standard.clusters());
        assertEquals(
                7,
                SlotLibrary.of(slots, shares, LibraryOptions.builder().optClusters(7).build())
                        .clusters());
        int other = (standard.background() + 1) % 4;
        SlotLibrary set =
                SlotLibrary.of(
                        slots, shares, LibraryOptions.builder().optBackground(other).build());
        assertEquals(other, set.background());
        SlotLibrary strict =
                SlotLibrary.of(slots, shares, LibraryOptions.builder().optLeastShare(1).build());
        assertFalse(standard.isEmptySlots(standard.background()));
        // 1 / K is 0.25, and shares here are 0.5 on average
        assertFalse(strict.isEmptySlots(0));
        SlotLibrary small =
                SlotLibrary.of(
                        slots, shares.mul(0.4f), LibraryOptions.builder().optLeastShare(1).build());
        assertTrue(small.isEmptySlots(0));
        assertFalse(
                SlotLibrary.of(slots, shares.mul(0.4f), LibraryOptions.builder().build())
                        .isEmptySlots(0));
        SlotLibrary seeded =
                SlotLibrary.of(
                        slots,
                        shares,
                        LibraryOptions.builder()
                                .optClustering(
                                        KMeansOptions.builder()
                                                .optNInit(1)
                                                .optSeed(5)
                                                .optMaxIter(1)
                                                .build())
                                .build());
        assertTrue(IntStream.range(0, 120).anyMatch(i -> seeded.label(i) != standard.label(i)));
    }

    @Test
    void shiftedTakesEachSlotFromTheNextPicture(NDManager manager) {
        SlotLibrary library = clear(manager, false);
        Composition composed = library.compose(22, CompositionRule.shifted(), 0);
        assertArrayEquals(new int[] {0, 4, 8}, composed.rows(0));
        assertArrayEquals(new int[] {57, 1, 5}, composed.rows(19));
        assertArrayEquals(composed.rows(1), composed.rows(21));
    }

    @Test
    void chosenClustersComeInTheirOrder(NDManager manager) {
        SlotLibrary library = clear(manager, false);
        Composition composed = library.compose(4, CompositionRule.of(2, 0, 2), 0);
        for (int i = 0; i < 4; i++) {
            int[] labels = Arrays.stream(composed.rows(i)).map(library::label).toArray();
            assertArrayEquals(new int[] {2, 0, 2}, labels);
        }
        assertRefused(
                "CompositionRule: clusters must be from 0 to 2, got 3",
                () -> library.compose(1, CompositionRule.of(3), 0));
        assertRefused(
                "CompositionRule: clusters must be from 0 to 2, got 2147483647",
                () -> library.composeOfDifferent(1, CompositionRule.of(0, Integer.MAX_VALUE), 0));
        assertRefused(
                "CompositionRule: clusters must be at least 0, got -1",
                () -> CompositionRule.of(0, -1));
        assertRefused(
                "CompositionRule: clusters must be at least 1, got none",
                () -> CompositionRule.of());
    }

    @Test
    void slotsOfDifferentPictures(NDManager manager) {
        NDArray slots = Tensors.normal(manager, 1, 3, 3, 2);
        NDArray centers = slots.get(0);
        SlotLibrary library =
                SlotLibrary.of(slots, null, centers, LibraryOptions.builder().build());
        CompositionRule rule = CompositionRule.onePerCluster();
        boolean repeats = false;
        Composition any = library.compose(50, rule, 2);
        Composition different = library.composeOfDifferent(50, rule, 2);
        for (int i = 0; i < 50; i++) {
            repeats |= Arrays.stream(any.rows(i)).map(library::picture).distinct().count() < 3;
            assertEquals(
                    3, Arrays.stream(different.rows(i)).map(library::picture).distinct().count());
        }
        assertTrue(repeats);
        SlotLibrary single =
                SlotLibrary.of(slots.get("0:1"), null, centers, LibraryOptions.builder().build());
        assertRefused(
                "SlotLibrary: 1000 draws of 3 slots each had two of one picture, where there are"
                        + " slots of 1; take slots of more pictures, a rule of fewer slots, or"
                        + " compose",
                () -> single.composeOfDifferent(1, rule, 2));
        assertEquals(1, single.compose(1, rule, 2).size());
        assertEquals(1, single.composeOfDifferent(1, CompositionRule.of(1), 2).size());
        for (int count : new int[] {0, -1}) {
            assertRefused(
                    "SlotLibrary: count must be at least 1, got " + count,
                    () -> library.composeOfDifferent(count, rule, 2));
        }
        assertRefused(
                "SlotLibrary: count must be at most 10000000, got 10000001",
                () -> library.composeOfDifferent(10_000_001, rule, 2));
    }

    /** A rule says itself what is wrong, or when it meets its library, before anything is drawn. */
    @Test
    void backgroundAndRefusesNumbersThatCannotBe(NDManager manager) {
        assertRefused(
                "CompositionRule: min must be at least 0, got -1",
                () -> CompositionRule.backgroundAnd(-1, 1));
        assertRefused(
                "CompositionRule: min must be at most max, got 2 and 1",
                () -> CompositionRule.backgroundAnd(2, 1));
        SlotLibrary library = clear(manager, true);
        for (int max : new int[] {3, Integer.MAX_VALUE}) {
            String message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () ->
                                            library.composeOfDifferent(
                                                    1, CompositionRule.backgroundAnd(0, max), 1))
                            .getMessage();
            assertTrue(message.contains("hold objects, got " + max + ";"), message);
        }
        // The background is none of its objects, whichever cluster it is said to be.
        for (int background = 0; background < 3; background++) {
            SlotLibrary said =
                    clear(
                            manager,
                            background != 1,
                            LibraryOptions.builder()
                                    .optBackground(background)
                                    .optLeastShare(0)
                                    .build());
            Composition composed = said.compose(30, CompositionRule.backgroundAnd(2, 2), 1);
            for (int i = 0; i < 30; i++) {
                int[] labels = Arrays.stream(composed.rows(i)).map(said::label).toArray();
                assertEquals(background, labels[0]);
                assertEquals(3, Arrays.stream(labels).distinct().count());
            }
        }
    }

    /** Pictures of one, two and three slots, in their order. */
    @Test
    void imagesOfAnyNumberOfSlotsComeInOrder(NDManager manager) {
        SlotLibrary library = clear(manager, true);
        SpatialBroadcastDecoder decoder =
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(2)
                        .setArchitecture(BroadcastArchitecture.tetrominoes(2))
                        .build();
        manager.getEngine().setRandomSeed(1);
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 2));
        SlotRenderer renderer = SlotRenderer.of(decoder, new ParameterStore(manager, false));
        Composition composed = library.compose(6, CompositionRule.backgroundAnd(0, 1), 1);
        int before = manager.getManagedArrays().size();
        NDArray images = composed.images(manager, renderer, 1, 6);
        assertEquals(before + 1, manager.getManagedArrays().size());
        for (int i = 1; i < 6; i++) {
            NDArray alone = composed.images(manager, renderer, i, i + 1);
            assertClose("picture " + i, alone.get(0), images.get(i - 1), 1e-5);
        }
        assertRefused(
                "Composition: range 3 to 7 is not inside 0 to 6",
                () -> composed.images(manager, renderer, 3, 7));
        assertRefused(
                "Composition: what the renderer makes must be (1, 3, H, W), got (1, 1, 2)",
                () -> composed.images(manager, slots -> slots.get(":, 0:1"), 0, 1));
        assertRefused(
                "Composition: what the renderer makes must be (1, 3, H, W), got (1, 1, 4, 4)",
                () -> composed.images(manager, s -> manager.ones(new Shape(1, 1, 4, 4)), 0, 1));
        // Pictures of one and of two slots, which are made one after the other.
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        composed.images(
                                                manager,
                                                s ->
                                                        manager.ones(
                                                                new Shape(
                                                                        s.getShape().get(0),
                                                                        3,
                                                                        4,
                                                                        3 + s.getShape().get(1))),
                                                0,
                                                6))
                        .getMessage();
        assertTrue(message.contains("3, 4, 4), got ("), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.safetensors", "a.npz"})
    void whatIsWrittenIsRead(String name, NDManager manager) throws IOException {
        for (boolean withShares : new boolean[] {true, false}) {
            SlotLibrary library = clear(manager, withShares);
            Path file = folder.resolve(name);
            library.write(file);
            SlotLibrary read = SlotLibrary.read(file);
            assertEquals(library.size(), read.size());
            CompositionRule rule =
                    withShares
                            ? CompositionRule.backgroundAnd(0, 1)
                            : CompositionRule.onePerCluster();
            for (int i = 0; i < 9; i++) {
                assertArrayEquals(
                        library.compose(9, rule, 3).rows(i), read.compose(9, rule, 3).rows(i));
            }
            Tensors.assertSame("slots", library.slots(manager, 5), read.slots(manager, 5));
            Tensors.assertSame("centers", library.centers(manager), read.centers(manager));
            assertEquals(library.meanShare(1), read.meanShare(1));
        }
        byte[] whole = Files.readAllBytes(folder.resolve(name));
        Path cut = folder.resolve("cut-" + name);
        for (int length : new int[] {0, 9, whole.length / 2, whole.length - 1}) {
            Files.write(cut, Arrays.copyOf(whole, length));
            assertThrows(IOException.class, () -> SlotLibrary.read(cut));
        }
    }

    @Test
    void filesThatAreNoLibraryAreRefused(NDManager manager) throws IOException {
        SlotLibrary library = clear(manager, true);
        Path file = folder.resolve("a.npz");
        assertWrong(library, file, "labels", a -> a.add(5), "is of none of 3 clusters");
        assertWrong(library, file, "labels", a -> a.get("0:7"), "do not belong together");
        assertWrong(library, file, "settings", a -> a.add(9), "is none of 3 clusters");
        assertWrong(library, file, "slots", a -> a.div(0f), "a slot is not finite");
        assertWrong(library, file, "centers", a -> a.flatten(), "another type or shape");
        assertWrong(library, file, "shares", a -> a.get("0:3"), "do not belong together");
        assertWrong(library, file, "shares", a -> a.mul(2), "a share is not from 0 to 1");
        assertWrong(library, file, "shares", a -> a.mul(Float.NaN), "a share is not from 0 to 1");
        assertWrong(
                library,
                file,
                "settings",
                a -> a.mul(a.getManager().create(new double[] {1, Double.NaN})),
                "the least share must be from 0 to 1, and is NaN");
    }

    private static void assertWrong(
            SlotLibrary library,
            Path file,
            String name,
            UnaryOperator<NDArray> change,
            String message)
            throws IOException {
        library.write(file);
        try (StateDict read = StateDict.read(file)) {
            Map<String, NDArray> arrays = new LinkedHashMap<>(read.arrays());
            arrays.put(name, change.apply(arrays.get(name)));
            StateDict.of(arrays).write(file);
        }
        IOException e = assertThrows(IOException.class, () -> SlotLibrary.read(file));
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertTrue(e.getMessage().contains("a.npz"), e.getMessage());
    }

    @Test
    void refusesWhatCannotBeClustered(NDManager manager) {
        NDArray slots = Tensors.normal(manager, 1, 2, 3, 4);
        LibraryOptions seven = LibraryOptions.builder().optClusters(7).build();
        assertRefused(
                "SlotLibrary: slots must be at least as many as clusters, 7, got 6",
                () -> SlotLibrary.of(slots, null, seven));
        LibraryOptions standard = LibraryOptions.builder().build();
        assertRefused(
                "SlotLibrary: slots must be (N, K, D), got (3, 4)",
                () -> SlotLibrary.of(slots.get(0), null, standard));
        assertRefused(
                "SlotLibrary: shares must be (2, 3), got (2, 4)",
                () -> SlotLibrary.of(slots, slots.get(":, 0"), standard));
        assertRefused(
                "SlotLibrary: shares must be from 0 to 1, got 2.0 in row 0",
                () -> SlotLibrary.of(slots, manager.ones(new Shape(2, 3)).mul(2), standard));
        NDArray bad = slots.duplicate();
        bad.set(new NDIndex("1, 1, 1"), Float.NaN);
        assertRefused(
                "SlotLibrary: slots must be finite in float32, got NaN in slot 1 of picture 1",
                () -> SlotLibrary.of(bad, null, standard));
        NDArray wide = slots.toType(DataType.FLOAT64, false);
        wide.set(new NDIndex("1, 2, 0"), 1e39);
        assertRefused(
                "SlotLibrary: slots must be finite in float32, got Infinity in slot 2 of picture 1",
                () -> SlotLibrary.of(wide, null, standard));
        assertRefused(
                "SlotLibrary: initial centers must be finite",
                () -> SlotLibrary.of(slots, null, bad.get(1), standard));
        assertRefused(
                "SlotLibrary: background must be below 3, got 3",
                () ->
                        SlotLibrary.of(
                                slots, null, LibraryOptions.builder().optBackground(3).build()));
        assertRefused(
                "LibraryOptions: clusters must be at least 1, got 0",
                () -> LibraryOptions.builder().optClusters(0));
        assertRefused(
                "LibraryOptions: leastShare must be from 0 to 1, got NaN",
                () -> LibraryOptions.builder().optLeastShare(Double.NaN).build());
        SlotLibrary library = SlotLibrary.of(slots, null, standard);
        assertRefused(
                "SlotLibrary: count must be at least 1, got 0",
                () -> library.compose(0, CompositionRule.shifted(), 0));
        assertRefused(
                "SlotLibrary: row must be from 0 to 5, got 6", () -> library.slots(manager, 1, 6));
    }

    /** Fewer different slots than clusters: one has no members. */
    @Test
    void aClusterWithoutMembersIsRefusedWhenItIsDrawnFrom(NDManager manager) {
        NDArray slots = manager.zeros(new Shape(4, 2, 3));
        SlotLibrary library = SlotLibrary.of(slots, null, LibraryOptions.builder().build());
        assertRefused(
                "SlotLibrary: cluster 1 has no members to draw from; CompositionRule.of leaves it"
                        + " out, or take fewer clusters",
                () -> library.compose(1, CompositionRule.onePerCluster(), 0));
        library.compose(1, CompositionRule.of(0), 0);
    }

    @Test
    void nearestMembersComeFirstAndAreDrawn(NDManager manager) {
        SlotLibrary library = clear(manager, false);
        int[] nearest = library.nearest(1, 100);
        assertEquals(20, nearest.length);
        NDArray centre = library.centers(manager).get(1);
        double before = 0;
        for (int row : nearest) {
            assertEquals(1, library.label(row));
            double distance =
                    library.slots(manager, row).get(0).sub(centre).square().sum().getFloat();
            assertTrue(distance >= before);
            before = distance;
        }
        assertArrayEquals(Arrays.copyOf(nearest, 2), library.nearest(1, 2));
        List<Integer> asked = new ArrayList<>();
        Image panel =
                new BufferedImageFactory()
                        .fromImage(new BufferedImage(4, 6, BufferedImage.TYPE_INT_RGB));
        Image sheet =
                new ClusterPictures(25, 6, 4)
                        .draw(
                                library,
                                row -> {
                                    asked.add(row);
                                    return panel;
                                });
        assertEquals(60, asked.size());
        assertEquals(nearest[0], asked.get(20));
        assertTrue(sheet.getWidth() > 25 * 4 && sheet.getHeight() > 3 * 6);
    }

    /** Hundreds of thousands of slots: labels are those of the nearest centres. */
    @Test
    void manySlots(NDManager manager) {
        NDArray slots = Tensors.normal(manager, 1, 9000, 11, 16);
        SlotLibrary library = SlotLibrary.of(slots, null, LibraryOptions.builder().build());
        assertEquals(99_000, library.size());
        int total = IntStream.range(0, 11).map(library::count).sum();
        assertEquals(99_000, total);
        NDArray centers = library.centers(manager);
        for (int row = 0; row < 99_000; row += 5003) {
            NDArray offsets = centers.sub(library.slots(manager, row)).square();
            long label = offsets.sum(new int[] {1}).argMin().getLong();
            assertEquals(label, library.label(row));
        }
    }
}
