package org.slotwise.examples.pictures;

import ai.djl.modality.cv.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.slotwise.examples.shared.FileTrouble;
import org.slotwise.examples.shared.OutputFolder;
import org.slotwise.examples.shared.Picture;
import org.slotwise.examples.shared.PictureFile;
import org.slotwise.examples.shared.WholeFile;
import org.slotwise.image.CocoAnnotations;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectList;
import org.slotwise.image.SlotPictures;

/** What was found in pictures, in files of several kinds. */
final class PredictionFiles {

    /** What can be written. */
    enum Format {
        /** The masks over the picture. */
        PNG,
        /** For each pixel the number of its object. */
        MASK,
        /** The objects of a picture. */
        JSON,
        /** The objects of all pictures, as COCO has them. */
        COCO
    }

    private static final String COCO_FILE = "coco.json";

    /** Smaller pictures are drawn larger: outlines would hide them. */
    private static final int SMALLEST_DRAWN = 256;

    private static final int MOST_LABELS = 255;

    private final Path folder;
    private final Set<Format> formats;
    private final double leastScore;
    private final Set<String> names = new HashSet<>();
    private final Set<Path> written = new HashSet<>();
    private final List<CocoAnnotations.Picture> all = new ArrayList<>();
    private final SlotPictures pictures = SlotPictures.builder().build();

    /**
     * Chooses what is written.
     *
     * @param folder where
     * @param formats what
     * @param leastScore objects of a lower score are left out
     */
    PredictionFiles(Path folder, Set<Format> formats, double leastScore) {
        this.folder = folder;
        this.leastScore = leastScore;
        this.formats = formats;
        if (formats.contains(Format.COCO)) {
            names.add(COCO_FILE);
        }
    }

    /** Writes what was found in a picture. */
    ObjectList add(PictureFinder.Found picture, Picture seen, DiscoveredObjects found)
            throws IOException {
        String name = free(picture);
        ObjectList drawable = found.objects(leastScore);
        Image image = seen.image();
        boolean whole = image.getWidth() == seen.width() && image.getHeight() == seen.height();
        ObjectList objects =
                whole ? drawable : found.resized(seen.height(), seen.width()).objects(leastScore);
        if (formats.contains(Format.PNG)) {
            Image paper = PictureFile.onPaper(image);
            int longest = Math.max(1, Math.max(paper.getWidth(), paper.getHeight()));
            int scale = Math.max(1, SMALLEST_DRAWN / longest);
            Image drawn =
                    scale == 1
                            ? paper
                            : paper.resize(
                                    paper.getWidth() * scale, paper.getHeight() * scale, true);
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            overlay(drawn, scale, found, drawable).save(png, "png");
            write(name + ".png", png.toByteArray());
        }
        if (formats.contains(Format.MASK)) {
            write(name + "_mask.png", labels(objects));
        }
        if (formats.contains(Format.JSON)) {
            write(name + ".json", (objects.toJson() + "\n").getBytes(StandardCharsets.UTF_8));
        }
        if (formats.contains(Format.COCO)) {
            all.add(new CocoAnnotations.Picture(all.size() + 1, picture.file(), objects));
        }
        return objects;
    }

    /**
     * What a picture's files are called: of a.jpg and a.png the second one keeps its ending, and a
     * number is added where that is not enough.
     */
    private String free(PictureFinder.Found picture) {
        String name = picture.name();
        for (int i = 1; !take(name); i++) {
            name = i == 1 ? picture.file() : picture.file() + "-" + i;
        }
        return name;
    }

    /** Takes all names of a picture's files, or none. */
    private boolean take(String name) {
        List<String> files = new ArrayList<>();
        if (formats.contains(Format.PNG)) {
            files.add(name + ".png");
        }
        if (formats.contains(Format.MASK)) {
            files.add(name + "_mask.png");
        }
        if (formats.contains(Format.JSON)) {
            files.add(name + ".json");
        }
        return Collections.disjoint(names, files) && (files.isEmpty() || names.addAll(files));
    }

    /** The masks over the picture; what belongs to no object stays as it is. */
    private Image overlay(Image drawn, int scale, DiscoveredObjects found, ObjectList objects) {
        Image over = pictures.overlay(drawn, found);
        BufferedImage from = (BufferedImage) drawn.getWrappedImage();
        BufferedImage to = (BufferedImage) over.getWrappedImage();
        BitSet taken = new BitSet();
        objects.objects().forEach(object -> taken.or(object.mask().bits()));
        for (int y = 0; y < to.getHeight(); y++) {
            for (int x = 0; x < to.getWidth(); x++) {
                if (!taken.get(y / scale * objects.width() + x / scale)) {
                    to.setRGB(x, y, from.getRGB(x, y));
                }
            }
        }
        return over;
    }

    /** Writes what stands in one file for all pictures. */
    void finish() throws IOException {
        if (formats.contains(Format.COCO)) {
            write(COCO_FILE, new CocoAnnotations(all).toJson().getBytes(StandardCharsets.UTF_8));
        }
    }

    /** What lies in the folder and is not of this run. */
    List<Path> others() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> !written.contains(file.toAbsolutePath().normalize()))
                    .map(folder::relativize)
                    .sorted()
                    .toList();
        } catch (UncheckedIOException e) {
            throw FileTrouble.reading(folder, e.getCause());
        }
    }

    private void write(String name, byte[] content) throws IOException {
        Path file = folder.resolve(name);
        new OutputFolder(file.toAbsolutePath().getParent()).make();
        WholeFile.write(file, content);
        written.add(file.toAbsolutePath().normalize());
    }

    /** 0 for the background, then 1 and so on, in the order of the list. */
    private static byte[] labels(ObjectList objects) throws IOException {
        if (objects.count() > MOST_LABELS) {
            throw new IOException(objects.count() + " objects are too many for a PNG of labels");
        }
        BufferedImage labels =
                new BufferedImage(objects.width(), objects.height(), BufferedImage.TYPE_BYTE_GRAY);
        int label = 0;
        for (DiscoveredObject object : objects.objects()) {
            label++;
            int of = label;
            object.mask().bits().stream()
                    .forEach(
                            i ->
                                    labels.getRaster()
                                            .setSample(
                                                    i % objects.width(),
                                                    i / objects.width(),
                                                    0,
                                                    of));
        }
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(labels, "png", png);
        return png.toByteArray();
    }
}
