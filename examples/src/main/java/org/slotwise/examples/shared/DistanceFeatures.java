package org.slotwise.examples.shared;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import org.slotwise.distance.PictureFeatures;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.model.ObjectDiscoveryConfiguration;

/** In which features sets of pictures are compared. */
public final class DistanceFeatures {

    /** What {@code --inception} takes, for the help. */
    public static final String INCEPTION =
            "Inception-v3 as TorchScript, which must be brought along: in Python"
                    + " torch.jit.load(\"inception-2015-12-05.pt\").layers.save(FILE) makes it of"
                    + " clean-fid's file. It is a program, which runs.";

    /** Said of all others. */
    public static final String NO_FID =
            "These numbers compare only with others in the same features. They are no FID and no"
                    + " KID.";

    /** Said where the Frechet distance is of little use. */
    public static final String FEW =
            "There are fewer pictures than numbers in the features: it says little here.";

    private DistanceFeatures() {}

    /**
     * Those of the FID and the KID.
     *
     * @param file what {@code --inception} names
     * @return the features; to be closed
     * @throws IOException if it cannot be read or is something else, with a message for the user
     */
    public static PictureFeatures inception(Path file) throws IOException {
        try {
            return PictureFeatures.inception(file);
        } catch (MalformedModelException | IllegalArgumentException e) {
            throw new IOException("--inception: " + e.getMessage(), e);
        }
    }

    /**
     * The mean over all places of what the encoder of a model gives.
     *
     * @param model the model; it stays open
     * @param name what it is called
     * @param manager who owns what is fetched of its weights
     * @return the features
     */
    public static PictureFeatures of(ObjectDiscovery model, String name, NDManager manager) {
        ObjectDiscoveryConfiguration made = model.madeFrom();
        FeatureExtractor encoder = (FeatureExtractor) model.parts().get("encoder");
        ParameterStore store = new ParameterStore(manager, false);
        float mean = (float) made.colours().mean();
        float deviation = (float) made.colours().deviation();
        return PictureFeatures.of(
                made.imageHeight(),
                made.imageWidth(),
                "the encoder of " + name,
                images -> {
                    NDArray x = images.sub(mean).div(deviation);
                    return encoder.extract(store, x, false).features().mean(new int[] {1});
                });
    }
}
