package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Scenes;
import org.slotwise.grouping.PositionedSlots;

/**
 * Scenes with the slots that a model describes them by: it does not change, so that they are
 * described once.
 *
 * @param images (S, 3, H, W) in [0, 1]
 * @param slots (S, K, 64)
 * @param positions where the slots are, (S, K, 2)
 */
record DescribedScenes(NDArray images, NDArray slots, NDArray positions) {

    private static final int BATCH = 64;

    /**
     * Describes scenes.
     *
     * @param manager the owner of all of them
     * @param model what describes them
     * @param scenes the scenes
     */
    static DescribedScenes of(NDManager manager, DiscreteModel model, Scenes scenes)
            throws IOException, TranslateException {
        NDList images = new NDList();
        NDList slots = new NDList();
        NDList positions = new NDList();
        SceneDataset data =
                SceneDataset.builder().setScenes(scenes).setSampling(BATCH, false).build();
        try (NDManager parts = manager.newSubManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    NDArray some = batch.getData().head();
                    PositionedSlots found =
                            model.slots(new ParameterStore(batch.getManager(), false), some);
                    images.add(some);
                    slots.add(found.objects());
                    positions.add(found.positions());
                    some.attach(parts);
                    found.objects().attach(parts);
                    found.positions().attach(parts);
                }
            }
            DescribedScenes all =
                    new DescribedScenes(
                            NDArrays.concat(images),
                            NDArrays.concat(slots),
                            NDArrays.concat(positions));
            all.images.attach(manager);
            all.slots.attach(manager);
            all.positions.attach(manager);
            return all;
        }
    }

    /** How many there are. */
    long size() {
        return images.getShape().get(0);
    }

    /**
     * Some of them.
     *
     * @param manager their owner
     * @param which their numbers
     */
    DescribedScenes some(NDManager manager, long... which) {
        NDArray index = manager.create(which);
        DescribedScenes some =
                new DescribedScenes(images.get(index), slots.get(index), positions.get(index));
        some.images.attach(manager);
        some.slots.attach(manager);
        some.positions.attach(manager);
        return some;
    }
}
