package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
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
import org.slotwise.testing.OnDevice;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class VisionTransformerTest {

    private static VisionTransformer small(NDManager manager) {
        VisionTransformer block =
                VisionTransformer.builder()
                        .setArchitecture(
                                new VisionTransformerArchitecture(
                                        16, 24, 8, 12, 2, 3, 20, 1, true, true))
                        .build();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 16, 24));
        return block;
    }

    @Test
    void anImageAloneEqualsTheImageInABatch(NDManager manager) {
        VisionTransformer block = small(manager);
        NDArray images = normal(manager, 1, 5, 3, 16, 24);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray all = block.extract(store, images, false).features();
        assertEquals(new Shape(5, 6, 12), all.getShape());
        for (int i = 0; i < 5; i++) {
            String one = i + ":" + (i + 1);
            NDArray alone = block.extract(store, images.get(one), false).features();
            assertClose("features", all.get(one), alone, 1e-5);
        }
    }

    /** Published sizes: timm 1.0.29's models have as many, less the classifier's. */
    @ParameterizedTest
    @CsvSource({
        "small, 224, 16, 0, 21665664",
        "small, 224, 8, 0, 21670272",
        "base, 224, 16, 0, 85798656",
        "smallDinoV2, 518, 14, 0, 22056192",
        "smallDinoV2, 518, 14, 4, 22057344",
    })
    void publishedSizesHaveTheirParameters(
            String kind, int size, int patch, int registers, long expected) {
        VisionTransformerArchitecture sizes =
                switch (kind) {
                    case "small" -> VisionTransformerArchitecture.small(size, patch);
                    case "base" -> VisionTransformerArchitecture.base(size, patch);
                    default -> VisionTransformerArchitecture.smallDinoV2(size);
                };
        VisionTransformer block =
                VisionTransformer.builder()
                        .setArchitecture(registers == 0 ? sizes : sizes.withRegisters(registers))
                        .build();
        long count =
                block.getParameters().values().stream().mapToLong(p -> p.getShape().size()).sum();
        assertEquals(expected, count);
    }

    @Test
    void namesAreThoseOfTimm(NDManager manager) {
        var names = StateDict.of(small(manager)).arrays().keySet();
        for (String name :
                new String[] {
                    "cls_token",
                    "reg_token",
                    "pos_embed",
                    "patch_embed.proj.weight",
                    "blocks.1.attn.qkv.bias",
                    "blocks.0.ls2.gamma",
                    "blocks.0.mlp.fc1.weight",
                    "norm.bias"
                }) {
            assertTrue(names.contains(name), name + " of " + names);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "17, 24, 8, 12, 3, height must be a multiple of patch 8",
        "16, 20, 8, 12, 3, width must be a multiple of patch 8",
        "16, 24, 8, 13, 3, dim must be a multiple of heads 3",
        "16, 24, 0, 12, 3, patch must be at least 1",
        "16, 24, 8, 12, 0, heads must be at least 1",
    })
    void badSizesAreRefused(int height, int width, int patch, int dim, int heads, String message) {
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                new VisionTransformerArchitecture(
                                        height, width, patch, dim, 2, heads, 20, 0, true, false));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void imagesOfOtherSizesAreRefused(NDManager manager) {
        VisionTransformer block = small(manager);
        ParameterStore store = new ParameterStore(manager, false);
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> block.extract(store, normal(manager, 1, 1, 3, 24, 24), false));
        assertTrue(e.getMessage().contains("images must be (B, 3, 16, 24)"), e.getMessage());
    }
}
