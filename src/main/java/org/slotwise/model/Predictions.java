package org.slotwise.model;

import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.translate.TranslateException;
import java.util.List;
import java.util.function.Supplier;
import org.slotwise.image.DiscoveredObjects;

/** A batch of pictures through a predictor, without DJL's checked exception. */
final class Predictions {

    private Predictions() {}

    static List<DiscoveredObjects> of(
            Supplier<Predictor<Image, DiscoveredObjects>> predictors, List<Image> images) {
        if (images.isEmpty()) {
            return List.of();
        }
        try (Predictor<Image, DiscoveredObjects> predictor = predictors.get()) {
            return predictor.batchPredict(images);
        } catch (TranslateException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e);
        }
    }
}
