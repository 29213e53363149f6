package org.slotwise.model;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.slotwise.data.PictureFit;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryTranslator;

/**
 * What finds the objects of pictures, whatever it is made of: an {@link ObjectDiscoveryModel} or a
 * {@link GnmModel}. Programs that only ask need to know no more.
 *
 * <pre>{@code
 * try (PictureModel model = PictureModel.load(Path.of("my-model.zip"))) {
 *     DiscoveredObjects found = model.predict(image);
 * }
 * }</pre>
 *
 * <p>Any number of threads may predict at once.
 */
public sealed interface PictureModel extends AutoCloseable permits ObjectDiscoveryModel, GnmModel {

    /**
     * A model that was saved, of either kind: its configuration says which.
     *
     * @param path the folder or .zip
     * @return the model
     * @throws IOException if it cannot be read, is no model, is damaged, or of a newer version; the
     *     message names it
     */
    static PictureModel load(Path path) throws IOException {
        return GnmFolder.is(path) ? GnmModel.load(path) : ObjectDiscoveryModel.load(path);
    }

    /**
     * The height of pictures inside the model.
     *
     * @return pixels
     */
    int imageHeight();

    /**
     * The width of pictures inside the model.
     *
     * @return pixels
     */
    int imageWidth();

    /**
     * How pictures of another shape come to the model's.
     *
     * @return {@link PictureFit#SQUEEZE} for a {@link GnmModel}
     */
    PictureFit fit();

    /**
     * The model as DJL knows it.
     *
     * @return DJL's model, owned by this one
     */
    Model model();

    /**
     * Finds the objects of an image.
     *
     * @param image of any size and kind
     * @return what was found, at the image's own size
     */
    default DiscoveredObjects predict(Image image) {
        return predict(List.of(image)).get(0);
    }

    /**
     * Finds the objects of images, as one batch.
     *
     * @param images of any sizes and kinds
     * @return what was found in each
     */
    default List<DiscoveredObjects> predict(List<Image> images) {
        return Predictions.of(this::newPredictor, images);
    }

    /**
     * DJL's predictor, for one thread; it must be closed.
     *
     * @return a predictor of this model
     */
    default Predictor<Image, DiscoveredObjects> newPredictor() {
        return model().newPredictor(translator());
    }

    /**
     * What brings images to this model and its outputs back.
     *
     * @return a translator
     */
    ObjectDiscoveryTranslator translator();

    /**
     * Keeps the model: configuration, weights, and what DJL needs to load it by itself. What was
     * there under this name is replaced when the new one is whole.
     *
     * @param path a folder, or a file if it ends in .zip
     * @throws IOException if it cannot be written, or there is something else of this name
     */
    void save(Path path) throws IOException;

    /** Frees the weights. */
    @Override
    void close();
}
