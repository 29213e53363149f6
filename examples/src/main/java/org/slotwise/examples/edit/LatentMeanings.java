package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.data.SceneDataset;

/**
 * What the codes of each latent say of an object: how often its colour, or its shape, is the most
 * frequent one of the objects that have the same code there.
 */
final class LatentMeanings {

    private static final int BATCH = 64;

    private final List<Tally> colours = new ArrayList<>();
    private final List<Tally> shapes = new ArrayList<>();

    /** For each code of a latent, how often objects that have it are of some kind. */
    private static final class Tally {
        private final Map<Long, Map<Object, Integer>> kinds = new HashMap<>();
        private int objects;

        void add(long code, Object kind) {
            kinds.computeIfAbsent(code, any -> new HashMap<>()).merge(kind, 1, Integer::sum);
            objects++;
        }

        double purity() {
            double most = 0;
            for (Map<Object, Integer> of : kinds.values()) {
                most += of.values().stream().mapToInt(count -> count).max().orElse(0);
            }
            return most / objects;
        }
    }

    /**
     * Compares codes with what objects are.
     *
     * @param model the model
     * @param seed which scenes
     * @param count how many
     * @return what codes say
     */
    static LatentMeanings of(DiscreteModel model, long seed, int count)
            throws IOException, TranslateException {
        LatentMeanings meanings = new LatentMeanings(model.quantizer().latents());
        SceneDataset data =
                SceneDataset.builder()
                        .setScenes(DiscreteModel.TASK.scenes(seed, count))
                        .setSampling(BATCH, false)
                        .build();
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Batch batch : data.getData(manager)) {
                try (batch) {
                    NDArray images = batch.getData().head();
                    ParameterStore store = new ParameterStore(batch.getManager(), false);
                    meanings.add(model.describe(store, images), images, batch.getLabels().get(1));
                }
            }
        }
        return meanings;
    }

    private LatentMeanings(int latents) {
        for (int latent = 0; latent < latents; latent++) {
            colours.add(new Tally());
            shapes.add(new Tally());
        }
    }

    /**
     * Adds some scenes.
     *
     * @param found what the model says of them
     * @param images (B, 3, H, W)
     * @param truth the number of each pixel's object, 0 for none, (B, H W)
     */
    private void add(DiscreteModel.Description found, NDArray images, NDArray truth) {
        int scenes = (int) images.getShape().get(0);
        int pixels = (int) truth.getShape().get(1);
        int latents = colours.size();
        int slots = (int) found.decoding().masks().getShape().get(1);
        long[] owner = found.decoding().masks().argMax(1).toLongArray();
        long[] background = EditedScene.background(found.decoding().masks());
        long[] codes = found.quantized().codes().toLongArray();
        long[] objects = truth.toLongArray();
        float[] colour = images.toFloatArray();
        for (int b = 0; b < scenes; b++) {
            TrueObjects real = new TrueObjects(objects, colour, b, pixels);
            for (int k = 0; k < slots; k++) {
                int object = k == background[b] ? 0 : real.seenBy(owner, k);
                for (int latent = 0; latent < latents && object != 0; latent++) {
                    long code = codes[(b * slots + k) * latents + latent];
                    colours.get(latent).add(code, real.colour(object));
                    shapes.get(latent).add(code, real.shape(object));
                }
            }
        }
    }

    /** The objects of a scene as they are. */
    private record TrueObjects(long[] objects, float[] image, int scene, int pixels) {

        /** The object that most pixels of a slot are of; 0 for none. */
        int seenBy(long[] owner, int slot) {
            Map<Integer, Integer> counts = new HashMap<>();
            for (int p = 0; p < pixels; p++) {
                int object = object(p);
                if (owner[scene * pixels + p] == slot && object != 0) {
                    counts.merge(object, 1, Integer::sum);
                }
            }
            return counts.entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .map(Map.Entry::getKey)
                    .orElse(0);
        }

        private int object(int pixel) {
            return (int) objects[scene * pixels + pixel];
        }

        /** Red, green and blue of its first pixel. */
        List<Float> colour(int object) {
            int p = 0;
            while (object(p) != object) {
                p++;
            }
            int at = 3 * scene * pixels + p;
            return List.of(image[at], image[at + pixels], image[at + 2 * pixels]);
        }

        /** Its pixels, counted from its first one. */
        List<Integer> shape(int object) {
            List<Integer> places = new ArrayList<>();
            for (int p = 0; p < pixels; p++) {
                if (object(p) == object) {
                    places.add(places.isEmpty() ? p : p - places.get(0));
                }
            }
            places.set(0, 0);
            return places;
        }
    }

    /**
     * How often an object has the most frequent colour of those with its code.
     *
     * @param latent the latent's number
     * @return from 0 to 1
     */
    double colour(int latent) {
        return colours.get(latent).purity();
    }

    /**
     * How often an object has the most frequent shape of those with its code.
     *
     * @param latent the latent's number
     * @return from 0 to 1
     */
    double shape(int latent) {
        return shapes.get(latent).purity();
    }
}
