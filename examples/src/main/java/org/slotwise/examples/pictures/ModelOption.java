package org.slotwise.examples.pictures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.PictureModel;
import picocli.CommandLine.Option;

/** Which model a command takes. */
final class ModelOption {

    @Option(
            names = "--model",
            required = true,
            paramLabel = "MODEL",
            description = {
                "A folder or .zip that \"train\" or \"package\" wrote, or the name of a model that"
                        + " comes with the library: ${COMPLETION-CANDIDATES}."
            },
            completionCandidates = Shipped.class)
    private Path model;

    /** The names of models that come with the library, for the help. */
    static final class Shipped implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return ObjectDiscoveryModel.shippedNames().iterator();
        }
    }

    Path path() {
        return model;
    }

    /** The model, to be closed. */
    ObjectDiscoveryModel load() throws IOException {
        return load(model);
    }

    /** The model, of any kind that finds objects; to be closed. */
    PictureModel loadAny() throws IOException {
        if (Files.exists(model)) {
            return read(model);
        }
        return load(model);
    }

    private static PictureModel read(Path model) throws IOException {
        refuseForPyTorch(model);
        try {
            return PictureModel.load(model);
        } catch (IOException e) {
            throw ModelFile.explained(null, model, e);
        }
    }

    private static void refuseForPyTorch(Path model) throws IOException {
        if (model.toString().toLowerCase(Locale.ROOT).endsWith(".pt")) {
            throw new IOException(
                    model
                            + " is a file for PyTorch, which cannot be read back: what it was"
                            + " made of is a folder or .zip that \"train\" wrote");
        }
    }

    /** A model from a file or folder, or by its name; to be closed. */
    static ObjectDiscoveryModel load(Path model) throws IOException {
        if (Files.exists(model)) {
            PictureModel loaded = read(model);
            if (loaded instanceof ObjectDiscoveryModel discovery) {
                return discovery;
            }
            loaded.close();
            throw new IOException(
                    model
                            + " is a model that counts objects, which \"predict\" and \"package\" take"
                            + " too; \"slotwise gnm\" has commands of its own to score and show it");
        }
        if (ObjectDiscoveryModel.shippedNames().contains(model.toString())) {
            return ObjectDiscoveryModel.shipped(model.toString());
        }
        throw new IOException(
                model
                        + " does not exist; by their names there are "
                        + String.join(" and ", ObjectDiscoveryModel.shippedNames()));
    }
}
