package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.ParameterStore;
import ai.djl.translate.DeferredTranslatorFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Run;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.model.ConditioningConfiguration;
import org.slotwise.model.GnmModel;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.PictureModel;
import org.slotwise.model.Presets;

/** Models as one file. */
class PackageModelTest extends PicturePrograms {

    @Test
    void makesAFileThatDjlLoads() throws Exception {
        train("model").succeeds();
        Run.of(new PackageModel(), "--model", at("model"), "--out", at("m.zip")).succeeds();
        Criteria<Image, DiscoveredObjects> criteria =
                Criteria.builder()
                        .setTypes(Image.class, DiscoveredObjects.class)
                        .optModelPath(folder.resolve("m.zip"))
                        .optEngine("PyTorch")
                        .optTranslatorFactory(new DeferredTranslatorFactory())
                        .build();
        try (ZooModel<Image, DiscoveredObjects> model = criteria.loadModel()) {
            Image image = ImageFactory.getInstance().fromFile(drawn.resolve("images/000.png"));
            assertEquals(3, model.newPredictor().predict(image).masks().slots());
        }
        Run.of(new PackageModel(), "--model", at("model"), "--out", at("m.tar"))
                .fails(2, "--out must end in .zip");
        Run.of(new PackageModel(), "--model", at("model"), "--torchscript", at("m.pt")).succeeds();
        try (Model script = Model.newInstance("m", null, "PyTorch");
                NDManager manager = NDManager.newBaseManager("PyTorch")) {
            script.load(folder, "m.pt", Map.of());
            NDList made =
                    script.getBlock()
                            .forward(
                                    new ParameterStore(manager, false),
                                    new NDList(manager.ones(new Shape(2, 3, 16, 16))),
                                    false);
            assertEquals(new Shape(2, 3, 16, 16), made.get("masks").getShape());
        }
        for (String name : ObjectDiscoveryModel.shippedNames()) {
            Run.of(new PackageModel(), "--model", name, "--torchscript", at(name + ".pt"))
                    .succeeds();
            assertTrue(Files.exists(folder.resolve(name + ".pt")));
        }
        ObjectDiscoveryConfiguration c = Presets.named("pictures").configuration();
        ObjectDiscoveryConfiguration drawn =
                new ObjectDiscoveryConfiguration(
                        16,
                        16,
                        c.colours(),
                        3,
                        c.slotDim(),
                        c.encoder(),
                        new ConditioningConfiguration.RandomFeatures(0L),
                        c.grouping(),
                        c.decoder());
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(drawn, 0)) {
            model.save(folder.resolve("drawn-starts"));
        }
        Run.of(new PackageModel(), "--model", at("drawn-starts"), "--torchscript", at("t.pt"))
                .fails(1, "drawn-starts has no form for PyTorch: its conditioning has none");
        assertFalse(Files.exists(folder.resolve("t.pt")));
    }

    @Test
    void packageLeavesOtherFilesAlone() throws IOException {
        Path mine = Files.writeString(folder.resolve("mine.zip"), "mine");
        Run.of(new PackageModel(), "--model", "tetrominoes", "--out", mine.toString())
                .fails(1, "--out", "mine.zip: it is no whole zip file, and is not overwritten");
        assertEquals("mine", Files.readString(mine));
    }

    /** A model of another kind is packaged too; where it has no place that is said. */
    @Test
    void modelsThatCountObjects() throws IOException {
        try (GnmModel counting = GnmModel.create(GnmConfiguration.small(32), 3)) {
            counting.save(folder.resolve("counting"));
        }
        String model = at("counting");
        Run.of(new PackageModel(), "--model", model, "--out", at("counting.zip")).succeeds();
        try (PictureModel loaded = PictureModel.load(folder.resolve("counting.zip"))) {
            assertTrue(loaded instanceof GnmModel);
        }
        Run.of(new PackageModel(), "--model", model, "--torchscript", at("counting.pt"))
                .fails(1, "--torchscript: the model", "has no form for PyTorch");
        for (Object program : List.of(new EvaluatePictures(), new ShowPictures())) {
            Run.of(program, "--model", model, "--images", drawn.toString())
                    .fails(1, "is a model that counts objects", "slotwise gnm");
        }
    }
}
