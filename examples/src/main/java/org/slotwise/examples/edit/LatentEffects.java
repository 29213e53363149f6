package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.slotwise.data.SceneDataset;

/**
 * What changes in scenes when one latent of one object gets another code: the code that the same
 * latent has in the next scene.
 *
 * @param changes for each latent, what its edits changed
 */
record LatentEffects(List<List<EditedScene.Change>> changes) {

    private static final int BATCH = 64;

    /**
     * Edits each latent of each object of some scenes.
     *
     * @param model the model
     * @param seed which scenes
     * @param count how many
     * @return what changed, of the edits that gave another code
     */
    static LatentEffects of(DiscreteModel model, long seed, int count)
            throws IOException, TranslateException {
        List<List<EditedScene.Change>> changes = new ArrayList<>();
        for (int latent = 0; latent < model.quantizer().latents(); latent++) {
            changes.add(new ArrayList<>());
        }
        SceneDataset data =
                SceneDataset.builder()
                        .setScenes(DiscreteModel.TASK.scenes(seed, count))
                        .setSampling(BATCH, false)
                        .build();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    ParameterStore store = new ParameterStore(batch.getManager(), false);
                    DiscreteModel.Description found = model.describe(store, batch.getData().head());
                    for (int latent = 0; latent < changes.size(); latent++) {
                        add(model, store, found, latent, changes.get(latent));
                    }
                }
            }
        }
        return new LatentEffects(changes);
    }

    private static void add(
            DiscreteModel model,
            ParameterStore store,
            DiscreteModel.Description found,
            int latent,
            List<EditedScene.Change> changes) {
        NDArray codes = found.quantized().codes();
        long[] background = EditedScene.background(found.decoding().masks());
        int scenes = background.length;
        for (int slot = 0; slot < codes.getShape().get(1); slot++) {
            long[] were = codes.get(":, {}, {}", slot, latent).toLongArray();
            long[] become = new long[scenes];
            for (int b = 0; b < scenes; b++) {
                int next = (b + 1) % scenes;
                become[b] = background[next] == slot ? were[b] : were[next];
            }
            EditedScene edited = EditedScene.of(model, store, found, slot, latent, become);
            for (int b = 0; b < scenes; b++) {
                if (background[b] != slot && become[b] != were[b]) {
                    EditedScene.Change change = edited.change(b);
                    if (!Double.isNaN(change.inside())) {
                        changes.add(change);
                    }
                }
            }
        }
    }

    /**
     * The mean of a measure over the edits of a latent.
     *
     * @param latent the latent's number
     * @param of the measure
     * @return the mean; NaN where no edit gave another code
     */
    double mean(int latent, ToDoubleFunction<EditedScene.Change> of) {
        return changes.get(latent).stream().mapToDouble(of).average().orElse(Double.NaN);
    }
}
