package org.slotwise.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

@ExtendWith(OnDevice.class)
class CrossAttentionMasksTest {

    private static LatentDiffusionDecoder fresh(NDManager manager, DataType type) {
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4, 4)
                                .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                                .optGroups(2)
                                .build());
        LatentDiffusionDecoder decoder =
                new LatentDiffusionDecoder(
                        unet,
                        DenoisingLoss.of(
                                new Noising(NoiseSchedule.linear(20, 0.01, 0.4)), Prediction.NOISE),
                        new Shape(2, 4, 6));
        manager.getEngine().setRandomSeed(3);
        decoder.initialize(manager, type, new Shape(2, 2, 4, 6));
        return decoder;
    }

    private static CrossAttentionMasks at(int... times) {
        return CrossAttentionMasks.builder().optTimes(times).build();
    }

    /** A number of a map of h rows and w columns, where it lies in one of another size. */
    private static double bilinear(
            double[] map, int begin, int h, int w, int row, int column, int rows, int columns) {
        double y = Math.max(0, (row + 0.5) * h / rows - 0.5);
        double x = Math.max(0, (column + 0.5) * w / columns - 0.5);
        int top = Math.min(h - 1, (int) y);
        int left = Math.min(w - 1, (int) x);
        int below = Math.min(h - 1, top + 1);
        int right = Math.min(w - 1, left + 1);
        double down = y - top;
        double on = x - left;
        return (1 - down)
                        * ((1 - on) * map[begin + top * w + left]
                                + on * map[begin + top * w + right])
                + down
                        * ((1 - on) * map[begin + below * w + left]
                                + on * map[begin + below * w + right]);
    }

    /** Means over times and layers of maps that are resized one number after the other. */
    @ParameterizedTest
    @CsvSource({"4, 6, 0", "9, 7, 0", "4, 6, 1", "8, 12, 2"})
    void areMeansOfMaps(int rows, int columns, int coarse, NDManager manager) {
        LatentDiffusionDecoder decoder = fresh(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray latents = normal(manager, 1, DataType.FLOAT64, 2, 2, 4, 6);
        NDArray noise = normal(manager, 2, DataType.FLOAT64, 2, 2, 4, 6);
        NDArray slots = normal(manager, 3, DataType.FLOAT64, 2, 3, 5);
        int[] times = {0, 7, 19};
        double[] expected = new double[2 * 3 * rows * columns];
        int count = 0;
        for (int t : times) {
            NDArray noised = decoder.learning().noising().noised(latents, noise, t, t);
            NDArray each = manager.create(new long[] {t, t});
            for (NDArray map : decoder.denoiser().crossAttention(store, noised, each, slots)) {
                int h = (int) map.size(2);
                int w = (int) map.size(3);
                if (coarse != 0 && 4 / h != coarse) {
                    continue;
                }
                count++;
                double[] values = doubles(map);
                for (int i = 0; i < expected.length; i++) {
                    int place = i % (rows * columns);
                    int slot = i / (rows * columns);
                    expected[i] +=
                            bilinear(
                                    values,
                                    slot * h * w,
                                    h,
                                    w,
                                    place / columns,
                                    place % columns,
                                    rows,
                                    columns);
                }
            }
        }
        assertEquals(3 * (coarse == 0 ? 7 : coarse == 1 ? 3 : 4), count);
        for (int i = 0; i < expected.length; i++) {
            expected[i] /= count;
        }
        CrossAttentionMasks.Builder builder = CrossAttentionMasks.builder().optTimes(times);
        if (coarse != 0) {
            builder.optCoarseness(coarse);
        }
        CrossAttentionMasks how = builder.build();
        boolean own = rows == 4 && columns == 6;
        NDArray masks =
                (own ? how : how.withSize(rows, columns)).of(decoder, store, latents, slots, noise);
        assertClose(
                "masks", manager.create(expected, new Shape(2, 3, rows, columns)), masks, 1e-12);
        NDArray sums = masks.sum(new int[] {1});
        assertClose("sums", sums.onesLike(), sums, 1e-12);
    }

    /**
     * Slots are a set; a picture's masks are the same in any batch; a seed gives the same again.
     */
    @Test
    void areOfEachSlotAndPicture(NDManager manager) {
        LatentDiffusionDecoder decoder = fresh(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray latents = normal(manager, 1, 3, 2, 4, 6);
        NDArray slots = normal(manager, 3, 3, 4, 5);
        CrossAttentionMasks usual = CrossAttentionMasks.builder().build();
        NDArray masks = usual.of(decoder, store, latents, slots, 5);
        assertEquals(new Shape(3, 4, 4, 6), masks.getShape());
        NDArray turned = usual.of(decoder, store, latents, slots.flip(1), 5);
        assertClose("permuted", masks.flip(1), turned, 1e-5);
        NDArray two = usual.of(decoder, store, latents.get(":2"), slots.get(":2"), 5);
        assertClose("two of three", masks.get(":2"), two, 1e-5);
        assertClose("again", masks, usual.of(decoder, store, latents, slots, 5), 0);
        assertNotEquals(masks, usual.of(decoder, store, latents, slots, 6));
        // The ten times that are usual lie evenly, and each has noise of its own.
        NDArray ten = at(1, 3, 5, 7, 9, 11, 13, 15, 17, 19).of(decoder, store, latents, slots, 5);
        assertClose("usual times", masks, ten, 0);
        NDArray mean =
                at(3).of(decoder, store, latents, slots, 5)
                        .add(at(9).of(decoder, store, latents, slots, 5))
                        .mul(0.5);
        CrossAttentionMasks down =
                CrossAttentionMasks.builder().optTimes(3).optCoarseness(1).optLayers(0, 1).build();
        CrossAttentionMasks up = CrossAttentionMasks.builder().optTimes(3).optLayers(5, -1).build();
        CrossAttentionMasks fine =
                CrossAttentionMasks.builder().optTimes(3).optCoarseness(1).build();
        NDArray three =
                down.of(decoder, store, latents, slots, 5)
                        .add(up.of(decoder, store, latents, slots, 5).mul(2))
                        .div(3);
        assertClose("layers", three, fine.of(decoder, store, latents, slots, 5), 1e-6);
        assertClose("times", mean, at(9, 3).of(decoder, store, latents, slots, 5), 1e-6);
    }

    /** Garbage is collected in the middle, and nothing is left but masks. */
    @Test
    void leaveNothingBehind(NDManager manager) {
        LatentDiffusionDecoder decoder = fresh(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray latents = normal(manager, 1, 2, 2, 4, 6);
        NDArray slots = normal(manager, 3, 2, 4, 5);
        NDArray noise = normal(manager, 4, 2, 2, 4, 6);
        CrossAttentionMasks how = at(2, 11, 17);
        NDArray seeded = how.of(decoder, store, latents, slots, 1);
        NDArray given = how.of(decoder, store, latents, slots, noise);
        int before = manager.getManagedArrays().size();
        NDArray again = how.of(decoder, store, latents, slots, noise);
        assertEquals(before + 1, manager.getManagedArrays().size(), "arrays left behind");
        assertSame("again", given, again);
        StepNoise usual = StepNoise.seeded(1);
        NDArray dirty =
                how.made(
                        decoder,
                        store,
                        latents,
                        slots,
                        (t, m, device, shape, type) -> {
                            Garbage.collect();
                            return usual.at(t, m, device, shape, type);
                        });
        assertSame("with garbage", seeded, dirty);
        assertEquals(before + 2, manager.getManagedArrays().size(), "arrays left behind");
        assertRefused(
                "CrossAttentionMasks: no layer is chosen by coarseness [2] and layers [0]: the"
                        + " network's are of coarseness [1, 2, 2, 2, 2, 1, 1]",
                () ->
                        CrossAttentionMasks.builder()
                                .optCoarseness(2)
                                .optLayers(0)
                                .build()
                                .of(decoder, store, latents, slots, 1));
        // What is not there is told, though something else is.
        assertRefused(
                "CrossAttentionMasks: there is no layer of coarseness 4: the network's are of"
                        + " coarseness [1, 2, 2, 2, 2, 1, 1]",
                () ->
                        CrossAttentionMasks.builder()
                                .optCoarseness(1, 4)
                                .build()
                                .of(decoder, store, latents, slots, 1));
        for (int layer : new int[] {7, -8}) {
            assertRefused(
                    "CrossAttentionMasks: a layer must be from -7 to 6 for this network, got "
                            + layer,
                    () ->
                            CrossAttentionMasks.builder()
                                    .optLayers(0, layer)
                                    .build()
                                    .of(decoder, store, latents, slots, 1));
        }
        assertEquals(before + 2, manager.getManagedArrays().size(), "arrays left by an error");
    }

    @Test
    void errors(NDManager manager) {
        LatentDiffusionDecoder decoder = fresh(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray latents = normal(manager, 1, 2, 2, 4, 6);
        NDArray slots = normal(manager, 3, 2, 4, 5);
        CrossAttentionMasks one = at(3);
        assertRefused(
                "CrossAttentionMasks: a time must be from 0 to 19, got 20",
                () -> at(3, 20).of(decoder, store, latents, slots, 1));
        assertRefused("CrossAttentionMasks: a time must be at least 0, got -1", () -> at(-1));
        assertRefused(
                "CrossAttentionMasks: how many times there are must be at least 1, got 0",
                () -> at());
        assertRefused(
                "CrossAttentionMasks: coarseness must be at least 1, got 0",
                () -> CrossAttentionMasks.builder().optCoarseness(2, 0).build());
        assertRefused(
                "CrossAttentionMasks: rows must be at least 1, got 0", () -> one.withSize(0, 4));
        assertRefused(
                "CrossAttentionMasks: latents must be (B, 2, 4, 6), got (2, 2, 4, 4)",
                () -> one.of(decoder, store, latents.get(":, :, :, :4"), slots, 1));
        assertRefused(
                "CrossAttentionMasks: slots must be (2, K, D), got (1, 4, 5)",
                () -> one.of(decoder, store, latents, slots.get("0:1"), 1));
        assertRefused(
                "Noising: noise must be (2, 2, 4, 6) as latents, got (1, 2, 4, 6)",
                () -> one.of(decoder, store, latents, slots, latents.get("0:1")));
    }
}
