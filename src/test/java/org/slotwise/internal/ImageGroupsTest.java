package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** A batch computed in groups equals the batch computed at once, gradients included. */
@ExtendWith(OnDevice.class)
@DisabledIf("onGpu")
class ImageGroupsTest {

    static boolean onGpu() {
        return OnDevice.device().isGpu();
    }

    private static NDList work(NDList in) {
        NDArray y = in.get(0).tanh().mul(in.get(1).expandDims(2));
        return new NDList(y, y.sum(new int[] {1}));
    }

    @Test
    void groupsAreEvenAndInOrder(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 7, 3, 5); // 60 bytes an image
        NDArray z = Tensors.normal(manager, 2, 7, 3);
        List<Long> sizes = new ArrayList<>();
        NDList out =
                ImageGroups.map(
                        new NDList(x, z),
                        180,
                        in -> {
                            sizes.add(in.head().getShape().get(0));
                            return work(in);
                        });
        assertEquals(List.of(2L, 2L, 3L), sizes);
        NDList atOnce = work(new NDList(x, z));
        assertClose("first", atOnce.get(0), out.get(0), 0);
        assertClose("second", atOnce.get(1), out.get(1), 0);
    }

    @Test
    void groupsAreAsLargeAsTheWorkAllows(NDManager manager) {
        NDArray x = Tensors.normal(manager, 1, 7, 3, 5);
        NDArray z = Tensors.normal(manager, 2, 7, 3);
        List<Long> sizes = new ArrayList<>();
        // 8 MB an image, 16 MB a group
        NDList out =
                ImageGroups.map(
                        1 << 21,
                        new NDList(x, z),
                        in -> {
                            sizes.add(in.head().getShape().get(0));
                            return work(in);
                        });
        assertEquals(List.of(1L, 2L, 2L, 2L), sizes);
        assertClose("first", work(new NDList(x, z)).get(0), out.get(0), 0);
    }

    @Test
    void aGroupHasAtLeastOneImage(NDManager manager) {
        List<Long> sizes = new ArrayList<>();
        ImageGroups.map(
                new NDList(Tensors.normal(manager, 1, 3, 3, 5), Tensors.normal(manager, 2, 3, 3)),
                1,
                in -> {
                    sizes.add(in.head().getShape().get(0));
                    return work(in);
                });
        assertEquals(List.of(1L, 1L, 1L), sizes);
    }

    @Test
    void gradientsAreTheSame(NDManager manager) {
        NDArray cotangent = Tensors.normal(manager, 3, 7, 3, 5);
        NDArray[] gradients = new NDArray[2];
        for (int i = 0; i < 2; i++) {
            NDArray x = Tensors.normal(manager, 1, 7, 3, 5);
            NDArray z = Tensors.normal(manager, 2, 7, 3);
            x.setRequiresGradient(true);
            long bytes = i == 0 ? 1 << 20 : 120;
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDList out = ImageGroups.map(new NDList(x, z), bytes, ImageGroupsTest::work);
                collector.backward(out.get(0).mul(cotangent).sum().add(out.get(1).sum()));
            }
            gradients[i] = x.getGradient();
        }
        assertEquals(new Shape(7, 3, 5), gradients[1].getShape());
        assertClose("gradient", gradients[0], gradients[1], 1e-6);
    }
}
