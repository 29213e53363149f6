package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.diffusion.CrossAttentionMasks;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.testing.OnDevice;

/** Where the denoiser of a whole model looks, in pictures. */
@ExtendWith(OnDevice.class)
class CrossAttentionOfPicturesTest {

    private static LatentSlotDiffusionConfiguration named(String name) {
        return name.equals("plain")
                ? DenoiserKindsTest.plain()
                : DenoiserKindsTest.branchNorm(4, 1);
    }

    /** Masks of where it looks are of the pictures' size, and are scored as others are. */
    @ParameterizedTest
    @ValueSource(strings = {"plain", "branch norm"})
    void masksOfCrossAttention(String kind, NDManager manager) {
        LatentSlotDiffusion model = LatentSlotDiffusionTest.fresh(manager, named(kind));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 3, 3, 8, 8);
        CrossAttentionMasks how = CrossAttentionMasks.builder().optTimes(2, 9).build();
        NDArray masks = model.crossAttentionMasks(store, images, how, 4);
        int before = manager.getManagedArrays().size();
        NDArray again = model.crossAttentionMasks(store, images, how, 4);
        assertEquals(before + 1, manager.getManagedArrays().size(), "arrays left behind");
        assertEquals(new Shape(3, 4, 8, 8), masks.getShape());
        assertClose("again", masks, again, 0);
        assertClose("sums", masks.get(":, 0").onesLike(), masks.sum(new int[] {1}), 1e-6);
        NDArray byHand =
                how.withSize(8, 8)
                        .of(
                                model.decoder(),
                                store,
                                model.latents(store, images),
                                model.slots(store, images, false).objects(),
                                4);
        assertClose("by hand", byHand, masks, 0);
        NDArray alone = model.crossAttentionMasks(store, images.get("0:1"), how, 4);
        assertClose("alone", masks.get("0:1"), alone, 1e-5);
        NDArray truth = manager.arange(64).mod(3).toType(DataType.INT32, false);
        NDArray scores =
                new AdjustedRandIndex(Background.COUNTED)
                        .score(truth.reshape(1, 8, 8).repeat(0, 3), masks)
                        .values();
        assertEquals(3, scores.size());
        assertRefused(
                "ObjectDiscovery: images must be (B, 3, 8, 8), got (3, 3, 8, 4)",
                () -> model.crossAttentionMasks(store, images.get(":, :, :, :4"), how, 4));
    }
}
