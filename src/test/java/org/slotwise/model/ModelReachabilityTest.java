package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.lang.ref.WeakReference;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;

/** DJL's model frees its arrays when nobody refers to it: a block that somebody has is somebody. */
@ExtendWith(OnDevice.class)
class ModelReachabilityTest {

    private static final String SHIPPED = "tetrominoes";

    private static NDArray image(NDManager manager) {
        return manager.ones(new Shape(1, 3, 35, 35)).mul(0.5f);
    }

    private static ParameterStore store(NDManager manager) {
        return new ParameterStore(manager, false);
    }

    private static NDArray masks(ObjectDiscovery block, NDManager manager) {
        return block.discover(store(manager), image(manager), false).masks();
    }

    @Test
    void aBlockKeepsItsWeights(NDManager manager) {
        NDArray expected;
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped(SHIPPED)) {
            expected = masks(model.block(), manager);
        }
        ObjectDiscovery block = ObjectDiscoveryModel.shipped(SHIPPED).block();
        Garbage.collect();
        assertSame("masks", expected, masks(block, manager));
    }

    @Test
    void aPartKeepsItsWeights(NDManager manager) {
        FeatureExtractor encoder =
                (FeatureExtractor)
                        Objects.requireNonNull(
                                ObjectDiscoveryModel.shipped(SHIPPED)
                                        .block()
                                        .parts()
                                        .get("encoder"));
        Garbage.collect();
        assertTrue(encoder.extract(store(manager), image(manager), false).features().size() > 0);
    }

    @Test
    void aBlockOfGnmKeepsItsWeights(NDManager manager) {
        Gnm block = GnmModel.create(GnmConfiguration.small(32), 0).block();
        Garbage.collect();
        block.getParameters()
                .values()
                .forEach(parameter -> assertFalse(parameter.getArray().isReleased()));
    }

    /** Nobody is left: the memory goes, though nobody closed the model. */
    @Test
    void withoutABlockTheModelGoes() throws InterruptedException {
        WeakReference<Model> model =
                new WeakReference<>(ObjectDiscoveryModel.shipped(SHIPPED).model());
        for (int i = 0; i < 50 && model.get() != null; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertNull(model.get());
    }
}
