package org.slotwise.data;

/** How a picture is brought to a size of other proportions. */
public enum PictureFit {
    /** The largest window in its middle that has the proportions; what lies beyond is not seen. */
    CROP {
        @Override
        public Crop window(int imageHeight, int imageWidth, int height, int width) {
            return Crop.centre(imageHeight, imageWidth, height, width);
        }
    },
    /** All of it: what is round becomes an ellipse. */
    SQUEEZE {
        @Override
        public Crop window(int imageHeight, int imageWidth, int height, int width) {
            return new Crop(0, 0, imageHeight, imageWidth);
        }
    };

    /**
     * The part of a picture that is resized to the size.
     *
     * @param imageHeight the picture's height
     * @param imageWidth the picture's width
     * @param height the height that is wanted
     * @param width the width that is wanted
     * @return a window of the picture
     * @throws IllegalArgumentException if a size is below 1
     */
    public abstract Crop window(int imageHeight, int imageWidth, int height, int width);

    /**
     * A scene in a size. The number of objects stays, whether they are seen or not.
     *
     * @param scene of any size
     * @param height the height that is wanted, at least 1
     * @param width the width that is wanted, at least 1
     * @return the scene itself, if it has that size
     * @throws IllegalArgumentException if a size is below 1
     */
    public Scene fitted(Scene scene, int height, int width) {
        return cut(scene, height, width).resize(height, width);
    }

    /**
     * The part of a scene that is resized to a size.
     *
     * @param scene of any size
     * @param height the height that is wanted, at least 1
     * @param width the width that is wanted, at least 1
     * @return the scene itself, if that is all of it
     * @throws IllegalArgumentException if a size is below 1
     */
    public Scene cut(Scene scene, int height, int width) {
        Crop window = window(scene.height(), scene.width(), height, width);
        return window.height() == scene.height() && window.width() == scene.width()
                ? scene
                : scene.crop(window);
    }
}
