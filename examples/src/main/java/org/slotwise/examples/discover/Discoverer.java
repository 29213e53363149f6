package org.slotwise.examples.discover;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.TranslateException;
import java.util.List;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryTranslator;

/** Finds the objects of images with a {@link DiscoveryModel}. */
final class Discoverer implements AutoCloseable {

    private final Model model;
    private final Predictor<Image, DiscoveredObjects> predictor;

    /**
     * Makes a model ready for images.
     *
     * @param weights a model with weights, which stays its owner's
     * @param iterations how many iterations of attention
     */
    Discoverer(DiscoveryModel weights, int iterations) {
        TracedDiscovery block = new TracedDiscovery(weights, iterations);
        Shape image = block.imageShape();
        model = Model.newInstance("discovery");
        model.setBlock(block);
        predictor =
                model.newPredictor(
                        ObjectDiscoveryTranslator.builder()
                                .setImageSize((int) image.get(1), (int) image.get(2))
                                .build());
    }

    /**
     * Finds objects.
     *
     * @param images images of any size
     * @return what was found in each
     */
    List<DiscoveredObjects> discover(List<Image> images) throws TranslateException {
        return predictor.batchPredict(images);
    }

    @Override
    public void close() {
        predictor.close();
    }
}
